"""Small campaigns drawn from a seed, with hours, zones, waits, limits and accounts of all sorts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import update

from shared.contracts.recipient import RecipientRef
from shared.db.models import AccountRow, CampaignRow, CompanyRow, StepRow
from shared.db.repositories.scenes import read_scene
from shared.db.repositories.versions import publish_version
from shared.domain.branches import Guard, OutcomeIs, StepOutcome
from shared.domain.channels import AccountKind
from shared.domain.guard_json import guard_to_json
from shared.domain.rehearsal_people import Behaviour, Rates, Span
from shared.domain.rehearsal_scene import Scene
from tests.activities.paced import OFFICE
from tests.factories import Campaign, Company

MINUTE, HOUR, DAY = 60, 3_600, 86_400
BEHAVIOUR = Behaviour(
    rates=Rates(reply=0.15, out_of_office=0.2, bounce=0.04, unsubscribe=0.04, open=0.5),
    reply_after=Span(least=10 * MINUTE, most=5 * DAY),
    away_for=Span(least=DAY, most=6 * DAY),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A campaign as it stands in the rows, and as its rehearsal begins."""

    company: Company
    campaign: Campaign
    recipients: list[RecipientRef]
    scene: Scene


async def draw_campaign(company: Company, seed: int) -> Drawn:
    """Small, with hours, zones, waits, limits and accounts of all sorts."""
    chance = Random(seed)  # noqa: S311 - nothing secret hangs on it
    campaign = await company.make_campaign(waits=(0,) * chance.randint(2, 3))
    await _draw_accounts(company, campaign, chance)
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        row.start_at = datetime.now(UTC).replace(microsecond=0) + timedelta(
            seconds=chance.randint(2 * HOUR, 40 * DAY)
        )
        row.window = _draw_window(chance)
        for step_id in campaign.step_ids:
            wait = update(StepRow).where(StepRow.id == step_id)
            await session.execute(wait.values(**_draw_wait(chance)))
        guards = _draw_guards(campaign, chance)
        last = update(StepRow).where(StepRow.id == campaign.step_ids[-1])
        await session.execute(last.values(guards=[guard_to_json(guard) for guard in guards]))
        row.version_id = await publish_version(session, campaign.id)
        company_row = await session.get_one(CompanyRow, company.id)
        company_row.time_zone = "Europe/Berlin"
    recipients = []
    for _ in range(chance.randint(3, 5)):
        zone = chance.choice([None, "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"])
        country = chance.choice([None, "DE", "US", "Japan"])
        lead_id = await company.make_lead(time_zone=zone, country=country)
        recipients.append(await company.make_recipient(campaign, lead_id=lead_id))
    async with company.session() as session:
        now = datetime.now(UTC).replace(microsecond=0)
        scene = await read_scene(
            session, campaign.id, begins_at=now, behaviour=BEHAVIOUR, seed=seed
        )
    return Drawn(company=company, campaign=campaign, recipients=recipients, scene=scene)


async def _draw_accounts(company: Company, campaign: Campaign, chance: Random) -> None:
    async with company.session() as session:
        first = await session.get_one(AccountRow, company.account_id)
        first.daily_limit, first.limits = _draw_limits(chance)
        row = await session.get_one(CampaignRow, campaign.id)
        if chance.random() < 0.5:
            limit, limits = _draw_limits(chance)
            second = AccountRow(
                id=UUID(int=company.account_id.int + 1),
                user_id=first.user_id,
                kind=AccountKind.GMAIL,
                email="sue@acme.test",
                daily_limit=limit,
                limits=limits,
            )
            session.add(second)
            row.account_ids = [first.id, second.id]
            row.limits = {"rotation": chance.choice(["even", "weighted"])}


def _draw_guards(campaign: Campaign, chance: Random) -> list[Guard]:
    """The last mail may depend on whether the first one was opened in time."""
    if chance.random() < 0.5:
        return []
    asked = OutcomeIs(
        step_id=campaign.step_ids[0],
        outcome=StepOutcome.OPENED,
        within_seconds=chance.choice([None, 2 * HOUR, 5 * DAY]),
    )
    return [Guard(decision_id=campaign.id, condition=asked, is_met=chance.random() < 0.5)]


def _draw_limits(chance: Random) -> tuple[int | None, dict[str, Any]]:
    limits: dict[str, Any] = {}
    if chance.random() < 0.5:
        limits["min_gap_seconds"] = chance.choice([300, 3_600])
        limits["gap_jitter_seconds"] = 600
    if chance.random() < 0.2:
        limits["per_hour"] = 2
    return chance.choice([None, 2, 3, 4]), limits


def _draw_window(chance: Random) -> dict[str, Any] | None:
    if chance.random() < 0.25:
        return None
    return OFFICE | {
        "in_lead_zone": chance.random() < 0.7,
        "holidays": chance.choice([None, "DE", "lead"]),
        "spread_minutes": chance.choice([0, 0, 45]),
    }


def _draw_wait(chance: Random) -> dict[str, int]:
    match chance.randrange(3):
        case 0:
            return {"delay_seconds": chance.randint(600, 20 * HOUR)}
        case 1:
            return {"delay_days": chance.randint(1, 3)}
        case _:
            return {
                "delay_business_days": chance.randint(1, 2),
                "delay_hours": chance.choice([0, 5]),
            }
