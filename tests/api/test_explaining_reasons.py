"""Every reason for which nothing is sent is named, of the campaign and of the account."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from api.callers import Caller
from api.services.explaining import Explained, ExplainService
from shared.db.models import ActionRow, ActionStatus, CampaignRow, JobRow, RecipientRow
from shared.db.session import Database
from shared.domain.channels import Channel
from shared.launching import launch_page
from tests.activities.paced import OFFICE, set_account, set_campaign
from tests.factories import DAY, Campaign, Company
from tests.fakes.conductor import RecordingConductor

# A Tuesday, ten in the morning.
NOW = datetime(2026, 12, 8, 10, tzinfo=UTC)
AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class Scene:
    """A company with a campaign; what a situation changes in it."""

    company: Company
    database: Database
    campaign: Campaign
    now: datetime = NOW

    async def start(self, number: int = 1, *, at: datetime | None = None) -> None:
        for _ in range(number):
            await self.company.make_recipient(self.campaign)
        await launch_page(
            self.database,
            RecordingConductor(),
            self.company.id,
            self.campaign.id,
            now=at or self.now,
        )

    async def set(self, **values: Any) -> None:
        await set_campaign(self.company, self.campaign, **values)

    async def set_account(self, **values: Any) -> None:
        await set_account(self.company, **values)

    async def set_recipients(self, **values: Any) -> None:
        async with self.company.session() as session:
            await session.execute(update(RecipientRow).values(**values))

    async def explain(self) -> tuple[str, str]:
        """Of the campaign and of its account, all words."""
        caller = Caller(user_id=self.company.user_id, company_id=self.company.id)
        service = ExplainService(database=self.database)
        of_campaign = await service.campaign(caller, self.campaign.id, now=self.now)
        of_account = await service.account(caller, self.company.account_id, now=self.now)
        return _words(of_campaign), _words(of_account)


def _words(found: Explained) -> str:
    words = [*found.standing.because, *found.standing.blocked_by]
    if found.following:
        words += [*found.following.explanation.because, *found.following.explanation.blocked_by]
    return "\n".join(words)


Situation = Callable[[Scene], Awaitable[None]]


async def _paused(scene: Scene) -> None:
    await scene.start(2)
    await scene.set(status="paused")


async def _draft(scene: Scene) -> None:
    await scene.company.make_recipient(scene.campaign)
    await scene.set(status="draft")


async def _dry_run(scene: Scene) -> None:
    await scene.set(dry_run=True)
    await scene.start()


async def _begins_later(scene: Scene) -> None:
    await scene.set(start_at=NOW + A_DAY)
    await scene.start()


async def _evening(scene: Scene) -> None:
    await scene.set(window=OFFICE)
    scene.now = NOW + 9 * AN_HOUR
    await scene.start()


async def _weekend(scene: Scene) -> None:
    await scene.set(window=OFFICE)
    scene.now = NOW + 4 * A_DAY
    await scene.start()


async def _holiday(scene: Scene) -> None:
    await scene.set(window=OFFICE | {"holidays": "DE"})
    scene.now = datetime(2026, 12, 25, 10, tzinfo=UTC)
    await scene.start()


async def _limit(scene: Scene) -> None:
    await scene.set_account(daily_limit=1)
    await scene.start(2)
    async with scene.company.session() as session:
        recipient_id = (await session.scalars(select(RecipientRow.id).limit(1))).one()
        version_id = (await session.get_one(CampaignRow, scene.campaign.id)).version_id
        done_at = NOW - AN_HOUR
        session.add(
            ActionRow(
                recipient_id=recipient_id,
                campaign_id=scene.campaign.id,
                step_id=scene.campaign.step_ids[0],
                account_id=scene.company.account_id,
                version_id=version_id,
                status=ActionStatus.SENT,
                planned_at=done_at,
                attempted_at=done_at,
                settled_at=done_at,
            )
        )


async def _circuit(scene: Scene) -> None:
    await scene.start()
    await scene.set_account(blocked_until=NOW + AN_HOUR, block_reason="Gmail does not answer")


async def _attention(scene: Scene) -> None:
    await scene.start()
    await scene.set_account(status="needs_attention", status_reason="9 of 100 mails bounced")


async def _disconnected(scene: Scene) -> None:
    await scene.start()
    await scene.set_account(status="disconnected")


async def _no_account(scene: Scene) -> None:
    await scene.set(account_id=None)
    await scene.set_account(status="disconnected")
    await scene.start()


async def _no_line(scene: Scene) -> None:
    scene.campaign = await scene.company.make_campaign(waits=(0,), channels=[Channel.CALL])
    await scene.start()


async def _all_parked(scene: Scene) -> None:
    await scene.start(2)
    reason = "a template variable has no value"
    await scene.set_recipients(parked_at=NOW, hold_reason=reason, next_at=None)


async def _launching(scene: Scene) -> None:
    await scene.start()
    await scene.company.make_recipient(scene.campaign)
    async with scene.company.session() as session:
        campaign_id = scene.campaign.id
        job = {"kind": "launch", "status": "running", "processed": 1, "total": 2}
        session.add(JobRow(campaign_id=campaign_id, **job))


async def _no_room(scene: Scene) -> None:
    await scene.set_account(daily_limit=1)
    await scene.start(6)


async def _enough_today(scene: Scene) -> None:
    await scene.set(limits={"new_leads_per_day": 1})
    await scene.start(2)


async def _called_off(scene: Scene) -> None:
    await scene.set(launch_held_at=NOW)
    await scene.start()


async def _waiting(scene: Scene) -> None:
    scene.campaign = await scene.company.make_campaign(waits=(3 * DAY,))
    await scene.start()


async def _nobody(_: Scene) -> None: ...


async def _all_ended(scene: Scene) -> None:
    await scene.start()
    await scene.set_recipients(end_reason="replied", ended_at=NOW)


async def _completed(scene: Scene) -> None:
    await _all_ended(scene)
    await scene.set(status="completed")


async def _nobody_works(scene: Scene) -> None:
    await scene.start(at=NOW - AN_HOUR)


REASONS: dict[Situation, tuple[str, str | None]] = {
    _paused: ("campaign is paused", "2 of them: campaign is paused"),
    _draft: ("campaign is not active", "nobody waits for it"),
    _dry_run: ("it is a dry run: what it writes down as sent reaches nobody", None),
    _begins_later: (
        "no step is due before 2026-12-09 10:00:00Z, when the campaign begins",
        "step 1 waits 0:00:00 after the start (2026-12-09 10:00:00Z)",
    ),
    _evening: ("outside of the sending hours: it waits for", "outside of the sending hours"),
    _weekend: ("a day without sending hours: it waits for", "a day without sending hours"),
    _holiday: ("a public holiday: it waits for", "a public holiday"),
    _limit: (
        "sam@acme.test: 1 of 1 are used (the account's 1 a day), the next at 2026-12-09 09:00:00Z",
        "1 of 1 are used (the account's 1 a day), the next at 2026-12-09 09:00:00Z",
    ),
    _circuit: (
        "sam@acme.test: it is left alone until 2026-12-08 11:00:00Z: Gmail does not answer",
        "it is left alone until 2026-12-08 11:00:00Z: Gmail does not answer",
    ),
    _attention: (
        "sam@acme.test: account needs attention: 9 of 100 mails bounced",
        "account needs attention: 9 of 100 mails bounced",
    ),
    _disconnected: (
        "sam@acme.test: the account is disconnected: connect it again",
        "the account is disconnected: connect it again",
    ),
    _no_account: ("no account is connected", None),
    _no_line: ("no phone line is connected", None),
    _all_parked: (
        "2 are held: a template variable has no value",
        "2 are held: a template variable has no value",
    ),
    _launching: ("its launch is under way: 1 of 2 are started", None),
    _no_room: ("first steps are booked three days ahead at most", None),
    _enough_today: ("1 of 1 new leads a day have begun: the rest wait their turn", None),
    _called_off: ("its launch was called off: activate it again to go on", None),
    _waiting: ("step 1 waits 3 days, 0:00:00 after the start", "step 1 waits 3 days"),
    _nobody: ("nobody is in it yet", "nobody waits for it"),
    _all_ended: ("nobody is left who waits for anything", None),
    _completed: ("the campaign is completed", None),
    _nobody_works: (
        "the next one was due at 2026-12-08 09:00:00Z: the workers are behind, or do not run",
        "the next one was due at 2026-12-08 09:00:00Z: the workers are behind, or do not run",
    ),
}


@pytest.fixture
async def scene(company: Company, database: Database) -> Scene:
    return Scene(company=company, database=database, campaign=await company.make_campaign())


@pytest.mark.parametrize(
    ("make", "of_campaign", "of_account"),
    [pytest.param(make, *words, id=make.__name__.strip("_")) for make, words in REASONS.items()],
)
async def test_whatever_keeps_mails_back_is_said(
    scene: Scene, make: Situation, of_campaign: str, of_account: str | None
) -> None:
    await make(scene)

    campaign, account = await scene.explain()

    assert of_campaign in campaign
    assert of_account is None or of_account in account


async def test_where_nothing_keeps_them_back_nothing_is_blamed(scene: Scene) -> None:
    await scene.start()

    for words in await scene.explain():
        assert "step 1 waits 0:00:00 after the start" in words
        others = [line for line in words.splitlines() if not line.startswith(("1 ", "step 1 "))]
        assert others == []


async def test_to_dos_need_no_account(scene: Scene) -> None:
    scene.campaign = await scene.company.make_campaign(waits=(0,), channels=[Channel.TASK])
    await scene.set(account_id=None)
    await scene.set_account(status="disconnected")

    campaign, _ = await scene.explain()

    assert "no account is connected" not in campaign
