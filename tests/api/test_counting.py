"""Whatever happens in whatever order, the counters say what counting the rows says."""

import random
from collections import Counter
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, select, text
from uuid_utils.compat import uuid7

from shared.db.models import CampaignCounterRow, EventRow, InboundEventRow, LeadRow, RecipientRow
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.domain.recipient import EndReason, RecipientStatus, recipient_status
from shared.launching import launch_page
from tests.api.acting import Workers
from tests.factories import Campaign, Company
from tests.fakes.conductor import RecordingConductor

Json = dict[str, Any]
OPERATIONS = 60
COMING_BACK = [
    InboundKind.REPLY,
    InboundKind.BOUNCE,
    InboundKind.UNSUBSCRIBE,
    InboundKind.MEETING_BOOKED,
    InboundKind.AUTO_REPLY,
]


class Life:
    """Two campaigns of the same leads, and everything that can happen to them."""

    def __init__(
        self,
        *,
        api: httpx.AsyncClient,
        company: Company,
        campaigns: list[Campaign],
        workers: Workers,
        chance: random.Random,
    ) -> None:
        self.api, self.company, self.workers = api, company, workers
        self.campaigns, self.chance = campaigns, chance
        self.happened: Counter[str] = Counter()

    async def happen(self) -> None:
        deeds = [self.add, self.add, self.act, self.act, self.act, self.report, self.report]
        deeds += [self.remove, self.skip, self.pause, self.launch, self.suppress, self.erase]
        deed = self.chance.choice(deeds)
        await deed()
        self.happened[deed.__name__] += 1

    async def add(self) -> None:
        leads = [str(await self.company.make_lead()) for _ in range(self.chance.randint(1, 3))]
        for campaign in self.chance.sample(self.campaigns, k=self.chance.randint(1, 2)):
            await self.api.post(f"{_url(campaign)}/recipients", json={"contact_ids": leads})

    async def act(self) -> None:
        if row := await self._one(EndReason.COMPLETED, None):
            await self.workers.go_on(row.id, row.next_at)

    async def launch(self) -> None:
        for campaign in self.campaigns:
            database, conductor = self.company._database, RecordingConductor()
            await launch_page(database, conductor, self.company.id, campaign.id, size=2)

    async def report(self) -> None:
        row = await self._one(EndReason.COMPLETED, None)
        if row is None:
            return
        async with self.company.session() as session:
            email = (await session.get_one(LeadRow, row.lead_id)).email
        report = {"provider": "job", "provider_event_id": str(uuid7()), "address": email}
        kind = self.chance.choice(COMING_BACK)
        instant = {"kind": kind, "occurred_at": "2026-03-02T12:00:00Z"}
        answer = await self.api.post("/api/inbound", json=report | instant)
        assert answer.status_code == 202, answer.text

    async def remove(self) -> None:
        await self._steer("delete", "")

    async def skip(self) -> None:
        await self._steer("post", "/skip-step")

    async def pause(self) -> None:
        await self._steer("post", self.chance.choice(["/pause", "/resume", "/mark-responded"]))

    async def suppress(self) -> None:
        if self.chance.random() < 0.2 and (row := await self._one(None)):
            async with self.company.session() as session:
                known = text(
                    "insert into suppressions (key_hash, kind, reason) select suppression_keys[1],"
                    " 'email', 'asked' from leads where id = :id on conflict do nothing"
                )
                await session.execute(known, {"id": row.lead_id})

    async def erase(self) -> None:
        """The rows go, as those of a person who wants to be forgotten do."""
        if self.chance.random() < 0.2 and (row := await self._one(*EndReason, None)):
            async with self.company.session() as session:
                for table in (InboundEventRow, RecipientRow):
                    owned = table.recipient_id if table is InboundEventRow else table.id
                    await session.execute(delete(table).where(owned == row.id))

    async def _steer(self, method: str, verb: str) -> None:
        if row := await self._one(*EndReason, None):
            place = f"/api/campaigns/{row.campaign_id}/recipients/{row.id}{verb}"
            answer = await self.api.request(method, place)
            assert answer.status_code in {200, 204, 404, 409}, answer.text

    async def _one(self, *reasons: EndReason | None) -> RecipientRow | None:
        async with self.company.session() as session:
            rows = (await session.scalars(select(RecipientRow).order_by(RecipientRow.id))).all()
        fitting = [row for row in rows if row.end_reason in reasons]
        return self.chance.choice(fitting) if fitting else None


def _url(campaign: Campaign) -> str:
    return f"/api/campaigns/{campaign.id}"


@pytest.mark.parametrize("seed", range(4))
async def test_the_counters_are_what_counting_says(
    api: httpx.AsyncClient, company: Company, workers: Workers, seed: int
) -> None:
    campaigns = [await company.make_campaign(waits=(0, 0, 60)) for _ in range(2)]
    chance = random.Random(seed)  # noqa: S311 - a test that can be repeated
    life = Life(api=api, company=company, campaigns=campaigns, workers=workers, chance=chance)
    for _ in range(OPERATIONS):
        await life.happen()
    for verb in ("complete", "delete"):
        await check(api, company, campaigns)
        place = _url(campaigns[0])
        await (api.post(f"{place}/complete") if verb == "complete" else api.delete(place))
        await check(api, company, campaigns[1:])
    assert len(life.happened) > 8


async def check(api: httpx.AsyncClient, company: Company, campaigns: list[Campaign]) -> None:
    """Against the statuses of the rows by the domain's own rule, and against a fresh count."""
    for campaign in campaigns:
        url = _url(campaign)
        stats = (await api.get(f"{url}/stats")).json()
        listed = Counter(one["status"] for one in (await api.get(f"{url}/recipients")).json())
        assert {name: stats[name] for name in RecipientStatus} == {
            name: listed[name] for name in RecipientStatus
        }
        assert stats["total_recipients"] == listed.total()
        assert (await api.post(f"{url}/recount")).json() == stats


async def test_a_recount_mends_what_was_wrong(
    api: httpx.AsyncClient, company: Company, campaign: Campaign
) -> None:
    for _ in range(3):
        await company.make_recipient(campaign)
    async with company.session() as session:
        await session.execute(delete(CampaignCounterRow))
    lost = (await api.get(f"{_url(campaign)}/stats")).json()

    mended = (await api.post(f"{_url(campaign)}/recount")).json()

    assert (lost["total_recipients"], mended["total_recipients"]) == (0, 3)
    assert mended["pending"] == 3


async def test_postgres_and_the_domain_agree_on_every_status(database: Database) -> None:
    """The triggers count by a function of their own: a new end needs a migration for it."""
    async with database.outside_session() as session:
        for ended in [None, *EndReason]:
            for is_started in (True, False):
                values = {"ended": ended, "is_started": is_started}
                asked = text("select recipient_status(:ended, :is_started)")
                counted = await session.scalar(asked, values)
                expected: str | None = recipient_status(ended=ended, is_started=is_started)
                if ended is EndReason.REMOVED:
                    expected = None
                assert counted == expected, values


async def test_what_happens_becomes_events(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str, workers: Workers
) -> None:
    lead = str(await company.make_lead())
    one = (await api.post(url, json={"contact_id": lead})).json()
    await workers.go_on(UUID(one["id"]))
    await api.post(f"{url}/{one['id']}/skip-step")
    await api.post(f"{url}/{one['id']}/mark-responded")
    for verb in ("pause", "resume", "complete", "archive"):
        assert (await api.post(f"{_url(campaign)}/{verb}")).status_code == 200
    await api.delete(_url(campaign))

    async with company.session() as session:
        rows = (await session.scalars(select(EventRow).order_by(EventRow.created_at))).all()
    names = [row.name for row in rows if row.campaign_id == campaign.id]
    assert sorted(names) == sorted(
        [
            "campaign.created",
            "recipient.added",
            "action.sent",
            "action.skipped",
            "reply.received",
            "recipient.responded",
            "campaign.paused",
            "campaign.resumed",
            "campaign.completed",
            "campaign.archived",
            "campaign.deleted",
        ]
    )
    ended = next(row for row in rows if row.name == "recipient.responded")
    assert ended.payload == {"reason": "replied", "contact_id": lead}
    assert {row.fanned_out_at for row in rows} == {None}
