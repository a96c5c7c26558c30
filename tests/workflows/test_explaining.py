"""What `explain` and the Temporal UI say comes next is what happens, at that instant."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper

from api.conducting import Conducting
from api.services.recipients import RecipientService
from shared.db.models import ActionRow, CampaignRow, StepRow
from shared.db.repositories.scenes import read_scene
from shared.db.repositories.versions import publish_version
from shared.db.session import Database
from shared.domain.branches import Guard, OutcomeIs, StepOutcome
from shared.domain.guard_json import guard_to_json
from shared.domain.inbound import InboundKind
from shared.domain.recipient import Parked, Planned
from shared.domain.rehearsal import rehearse
from shared.domain.rehearsal_people import Behaviour, Happening
from shared.domain.rehearsal_scene import Entry
from shared.keyring import Keyring
from tests.activities.paced import OFFICE, set_account
from tests.factories import DAY, Company
from tests.fakes.gmail import FakeGmail
from tests.workflows.drawn import Drawn
from tests.workflows.punctual import Stage, set_stage
from tests.workflows.rehearsed import Living

# Who takes part, in the order of their ids.
NAMES = tuple(f"{name}@example.test" for name in ("quiet", "away", "opens", "replies", "parked"))
QUIET, AWAY, OPENS, REPLIES, PARKED = range(5)
AN_HOUR = timedelta(hours=1)
PEOPLE = Behaviour(
    happenings=(
        Happening(
            kind=InboundKind.AUTO_REPLY,
            step=1,
            name=NAMES[AWAY],
            after_seconds=3_600,
            away_seconds=9 * DAY,
        ),
        Happening(outcome=StepOutcome.OPENED, step=1, name=NAMES[OPENS], after_seconds=7_200),
        Happening(kind=InboundKind.REPLY, step=1, name=NAMES[REPLIES], after_seconds=DAY // 2),
    )
)
PAUSED, RESUMED = "paused", "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said of somebody. `at` None: nothing is planned."""

    place: int
    asked_at: datetime
    step_id: UUID | None
    at: datetime | None


class Watched(Living):
    """Asks of everybody after every move."""

    def __init__(self, drawn: Drawn, stage: Stage) -> None:
        super().__init__(drawn, stage)
        self._service = RecipientService(
            database=stage.database,
            conducting=Conducting(database=stage.database, conductor=stage.conductor),
        )
        self.said: list[Said] = []
        # Whose slot went to somebody else after it was booked.
        self.displaced: list[tuple[Said, datetime, str]] = []
        # Of whom the workflow says something else than `explain`.
        self.differing: list[str] = []

    async def happen(self, entry: Entry) -> bool:
        if entry.what not in (PAUSED, RESUMED):
            return await super().happen(entry)
        is_pause = entry.what == PAUSED
        change = self._service.pause if is_pause else self._service.resume
        await change(self._caller, self._drawn.campaign.id, self._refs[entry.place].recipient_id)
        return not is_pause

    async def look_round(self, now: datetime) -> None:
        for place, row in enumerate(await self._rows()):
            if row.launched_at is None or row.end_reason:
                continue
            found, _ = await self._service.explain(
                self._caller, self._drawn.campaign.id, row.id, now=now
            )
            match found.move:
                case Planned(at=at, step_id=step_id):
                    said = Said(place=place, asked_at=now, step_id=step_id, at=at)
                    if row.next_at and at != row.next_at:
                        self.displaced.append((said, row.next_at, "; ".join(found.because)))
                    # Who has lost its slot hears of it there.
                    words = f"at {row.next_at or at:%F %T}Z**"
                case Parked(reason=reason):
                    said = Said(place=place, asked_at=now, step_id=None, at=None)
                    words = f"Next: **parked: {reason}, "
                case _:
                    continue
            self.said.append(said)
            shown = await self._shown(place, words)
            if words not in shown:
                self.differing.append(f"{said}: {shown}")

    async def sent(self) -> list[tuple[int, UUID, datetime]]:
        """Whose step was really done when."""
        places = {ref.recipient_id: place for place, ref in enumerate(self._refs)}
        async with self._company.session() as session:
            actions = await session.scalars(select(ActionRow).order_by(ActionRow.attempted_at))
            return [
                (places[it.recipient_id], it.step_id, it.attempted_at.replace(microsecond=0))
                for it in actions
            ]

    def was_asked(self, place: int, *, since: datetime, until: datetime) -> bool:
        return any(it.place == place and since < it.asked_at < until for it in self.said)

    async def _shown(self, place: int, words: str) -> str:
        """In the Temporal UI, once the workflow has heard what came of its last activity."""
        handle = self._conductor.recipient(self._refs[place])
        shown = ""
        for _ in range(40):
            try:
                metadata = await handle.query("__temporal_workflow_metadata")
            except RPCError as error:
                if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                    raise
                # Nothing runs before its first plan is due: Temporal itself says when.
                begins_at = (await handle.describe()).execution_time
                return f"begins at {begins_at:%F %T}Z**"
            shown = metadata.current_details
            if words in shown:
                break
        return shown


async def make_drawn(company: Company) -> Drawn:
    """Three mails in office hours, three a day; the last one for those who open the first."""
    campaign = await company.make_campaign(waits=(0, DAY, 2 * DAY))
    recipients = []
    for name in NAMES:
        lead_id = await company.make_lead(email=name)
        recipients.append(await company.make_recipient(campaign, lead_id=lead_id))
    asked = OutcomeIs(
        step_id=campaign.step_ids[0], outcome=StepOutcome.OPENED, within_seconds=6 * DAY
    )
    guard = Guard(decision_id=campaign.id, condition=asked, is_met=True)
    await set_account(company, daily_limit=3, limits={"min_gap_seconds": 600})
    now = datetime.now(UTC).replace(microsecond=0)
    async with company.session() as session:
        last = update(StepRow).where(StepRow.id == campaign.step_ids[-1])
        await session.execute(last.values(guards=[guard_to_json(guard)]))
        row = await session.get_one(CampaignRow, campaign.id)
        row.start_at = now.replace(hour=6) + timedelta(days=7 - now.weekday())
        row.window = OFFICE | {"spread_minutes": 45}
        row.time_zone = "Europe/Berlin"
        row.version_id = await publish_version(session, campaign.id)
    async with company.session() as session:
        scene = await read_scene(session, campaign.id, begins_at=now, behaviour=PEOPLE, seed=1)
    return Drawn(company=company, campaign=campaign, recipients=recipients, scene=scene)


@pytest.fixture
async def watched(
    temporal: Client, clock: TimeSkipper, database: Database, keyring: Keyring, gmail: FakeGmail
) -> AsyncIterator[Watched]:
    """The whole campaign, lived to its end."""
    async with set_stage(temporal, clock, database, keyring, gmail) as stage:
        company = await Company.make(database, keyring)
        drawn = await make_drawn(company)
        story = rehearse(drawn.scene)
        entries = story.log.entries
        [begun_at] = [it.at for it in entries if it.place == PARKED and it.step == 1]
        watched = Watched(drawn, stage)
        # Held in the middle of the week, and let go when the week is over.
        held = Entry(at=begun_at + AN_HOUR, place=PARKED, what=PAUSED)
        let_go = Entry(at=begun_at + timedelta(days=4, hours=8), place=PARKED, what=RESUMED)
        await watched.live(story, [held, let_go])
        yield watched


async def test_what_explain_says_is_what_happens_and_what_temporal_shows(watched: Watched) -> None:
    sent = await watched.sent()

    assert {place for place, _, _ in sent} == {QUIET, AWAY, OPENS, REPLIES, PARKED}
    told = 0
    for place, step_id, at in sent:
        before = [it for it in watched.said if it.place == place and it.asked_at < at]
        # The very first move of all comes before anybody could ask.
        if before:
            told += 1
            assert (before[-1].step_id, before[-1].at) == (step_id, at)
    assert told == len(sent) - 1
    assert watched.differing == []
    # Who had lost a slot to a follow-up when it came for it was told so before.
    assert all("goes to a follow-up" in why for _, _, why in watched.displaced)
    last_words = {(it.place, lost): it for it, lost, _ in watched.displaced if it.asked_at < lost}
    in_vain = [
        (it.place, it.step_id, lost)
        for (place, lost), it in last_words.items()
        if not watched.was_asked(place, since=it.asked_at, until=lost)
    ]
    assert in_vain
    assert not {*in_vain} & {*sent}
    # Who is parked stays so until it is woken, also when it is night and sleepers have a plan.
    plans = [it.at for it in watched.said if it.place == PARKED]
    held = [number for number, at in enumerate(plans) if at is None]
    assert len(held) > 1
    assert held == list(range(held[0], held[-1] + 1))
    assert len(plans) > held[-1] + 1
