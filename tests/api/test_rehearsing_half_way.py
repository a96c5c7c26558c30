"""A rehearsal of a campaign that runs goes on from where each recipient stands."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from shared.db.models import ActionRow, ActionStatus, CampaignRow, RecipientRow
from shared.db.session import Database
from shared.domain.channels import Channel
from shared.keyring import Keyring
from shared.launching import launch_page
from tests.activities.paced import set_account
from tests.factories import DAY, Campaign, Company
from tests.fakes.conductor import RecordingConductor
from tests.phone_line import PhoneLine

# The first mails went out at noon on a Monday, and it is rehearsed a day later.
BEGUN = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = BEGUN + timedelta(days=1)
QUIET = {f"{name}_rate": 0 for name in ("bounce", "reply", "out_of_office", "unsubscribe", "open")}


class Running:
    """A campaign of mails on the days 0, 3 and 6, with leads in it by name."""

    def __init__(self, company: Company, database: Database, campaign: Campaign) -> None:
        self.company, self.campaign = company, campaign
        self._database = database
        self.ids: dict[str, Any] = {}

    async def add(self, *names: str) -> None:
        for name in names:
            lead_id = await self.company.make_lead(email=f"{name}@example.test")
            ref = await self.company.make_recipient(self.campaign, lead_id=lead_id)
            self.ids[name] = ref.recipient_id

    async def launch(self) -> None:
        conductor, campaign_id = RecordingConductor(), self.campaign.id
        await launch_page(self._database, conductor, self.company.id, campaign_id, now=BEGUN)

    async def do(self, name: str, step: int = 1, **more: Any) -> None:
        """As the workers leave it."""
        async with self.company.session() as session:
            version_id = (await session.get_one(CampaignRow, self.campaign.id)).version_id
            at = BEGUN + timedelta(days=3 * (step - 1))
            values = {"status": ActionStatus.SENT, "settled_at": at} | more
            session.add(
                ActionRow(
                    recipient_id=self.ids[name],
                    campaign_id=self.campaign.id,
                    step_id=self.campaign.step_ids[step - 1],
                    account_id=self.company.account_id,
                    version_id=version_id,
                    planned_at=at,
                    attempted_at=at,
                    **values,
                )
            )

    async def set(self, name: str, **values: Any) -> None:
        async with self.company.session() as session:
            found = update(RecipientRow).where(RecipientRow.id == self.ids[name])
            await session.execute(found.values(**values))


@pytest.fixture
async def running(company: Company, database: Database) -> Running:
    return Running(company, database, await company.make_campaign())


async def rehearse(api: httpx.AsyncClient, running: Running, **behaviour: Any) -> dict[str, Any]:
    wish = {"begins_at": NOW.isoformat(), "behaviour": QUIET | behaviour}
    answer = await api.post(f"/api/campaigns/{running.campaign.id}/rehearse", json=wish)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()["report"]
    return report


def plan(report: dict[str, Any], name: str) -> list[tuple[str, int | None, str]]:
    lines = [line for line in report["schedule"] if line["lead"] == f"{name}@example.test"]
    return [(line["what"], line.get("step"), line["at"]) for line in lines]


async def test_who_has_had_a_step_goes_on_with_the_next(
    api: httpx.AsyncClient, running: Running
) -> None:
    await running.add("half-way", "gone")
    await running.launch()
    await running.do("half-way")
    await running.do("gone")
    await running.set("gone", end_reason="replied", ended_at=NOW)
    await running.add("new")

    report = await rehearse(api, running)

    assert plan(report, "half-way") == [
        ("sent", 2, "2026-03-05T12:00:00Z"),
        ("sent", 3, "2026-03-08T12:00:00Z"),
    ]
    assert [(what, step) for what, step, _ in plan(report, "new")] == [
        ("sent", 1),
        ("sent", 2),
        ("sent", 3),
    ]
    assert plan(report, "new")[0][2] == "2026-03-03T12:00:00Z"
    assert (plan(report, "gone"), report["people"]) == ([], 2)
    assert report["outcomes"] == {"completed": 2}


async def test_who_is_away_or_held_is_so_in_the_rehearsal(
    api: httpx.AsyncClient, running: Running
) -> None:
    await running.add("away", "held")
    await running.launch()
    for name in ("away", "held"):
        await running.do(name)
    await running.set("away", away_until=BEGUN + timedelta(days=9))
    await running.set("held", paused_at=NOW)

    report = await rehearse(api, running)

    assert plan(report, "away")[0] == ("sent", 2, "2026-03-11T12:00:00Z")
    assert plan(report, "held") == []
    [unfinished] = report["unfinished"]
    assert unfinished == {"lead": "held@example.test", "why": "recipient is paused"}


async def test_what_is_booked_stays_booked_and_what_was_done_counts(
    api: httpx.AsyncClient, running: Running
) -> None:
    await set_account(running.company, daily_limit=1)
    await running.add("first", "second")
    await running.launch()
    await running.do("first")
    await running.add("third")

    report = await rehearse(api, running)

    # The launcher had given the second one the day behind the first one's.
    assert plan(report, "second")[0] == ("sent", 1, "2026-03-03T12:00:00Z")
    days = [line["at"][:10] for line in report["schedule"] if line["what"] == "sent"]
    assert sorted(set(days)) == sorted(days)
    assert len(days) == 8


async def test_an_answer_to_an_earlier_step_may_still_come(
    api: httpx.AsyncClient, running: Running
) -> None:
    await running.add("ada", "bea")
    await running.launch()
    for name in ("ada", "bea"):
        await running.do(name)
    late = {"event": "reply", "step": 1, "day": 2, "lead": "ada@example.test"}
    past = {"event": "reply", "step": 1, "day": 0.5, "lead": "bea@example.test"}

    report = await rehearse(api, running, happenings=[late, past])

    assert plan(report, "ada") == [("reply", None, "2026-03-04T12:00:00Z")]
    # What should have come by now has not.
    assert report["outcomes"] == {"completed": 1, "replied": 1}


async def test_a_to_do_that_is_under_way_comes_to_its_end(
    api: httpx.AsyncClient, company: Company, database: Database
) -> None:
    campaign = await company.make_campaign(waits=(0, DAY), channels=(Channel.TASK, Channel.EMAIL))
    running = Running(company, database, campaign)
    await running.add("ada")
    await running.launch()
    await running.do("ada", status=ActionStatus.PLACED, settled_at=None, activity="task.open")

    report = await rehearse(api, running)

    assert [(what, step) for what, step, _ in plan(report, "ada")] == [("done", 1), ("sent", 2)]


async def test_a_call_that_is_under_way_comes_to_its_end(
    api: httpx.AsyncClient, company: Company, database: Database, keyring: Keyring
) -> None:
    line = await PhoneLine.connect(company, database, keyring, api_key="key")
    campaign = await line.make_campaign(channels=(Channel.CALL, Channel.EMAIL), wait_seconds=DAY)
    running = Running(company, database, campaign)
    ref = await company.make_recipient(
        campaign, lead_id=await line.make_lead(email="ada@example.test")
    )
    running.ids["ada"] = ref.recipient_id
    await running.launch()
    call: dict[str, Any] = {"settled_at": None, "activity": "bland.call", "check_at": NOW}
    await running.do("ada", status=ActionStatus.PLACED, **call)

    report = await rehearse(api, running, answer_rate=1, voicemail_rate=0)

    assert [(what, step) for what, step, _ in plan(report, "ada")] == [("answered", 1), ("sent", 2)]


async def test_the_draft_is_rehearsed_with_who_is_half_way(
    api: httpx.AsyncClient, running: Running
) -> None:
    """As a publish would do it: a step that was taken out is not done any more."""
    await running.add("ada")
    await running.launch()
    await running.do("ada")
    await api.patch(f"/api/campaigns/{running.campaign.id}", json={"draft_edits": True})
    gone = await api.delete(f"/api/campaigns/{running.campaign.id}/sequences/2")
    assert gone.status_code in (200, 204), gone.text

    report = await rehearse(api, running)

    assert plan(report, "ada") == [("sent", 2, "2026-03-05T12:00:00Z")]
