"""A campaign lived by the real workflows on the real server, one recipient at a time.

Every workflow has its own clock under time skipping, and the accounts' slots are shared. So only
the recipient with the earliest (instant, recipient id) is forwarded, and what comes back is
injected at its instant.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.services.explaining import ExplainService, Following
from shared.contracts.inbound import InboundEvent
from shared.contracts.recipient import WakeSignal
from shared.db.models import ActionRow, RecipientRow
from shared.db.repositories.ledger import action_id_of
from shared.db.repositories.outcomes import note_outcome
from shared.domain.branches import StepOutcome
from shared.domain.inbound import InboundKind
from shared.domain.recipient import EndReason
from shared.domain.rehearsal import Story
from shared.domain.rehearsal_scene import Entry
from shared.inbound import receive_inbound
from shared.launching import launch_page
from tests.workflows.drawn import Drawn
from tests.workflows.punctual import Stage

BACK = {kind.value: kind for kind in InboundKind}


def _is_felt(entry: Entry, story: Story) -> bool:
    """Whether it reaches a workflow: openings only where a decision asks for them."""
    is_asked = any(step.guards for step in story.scene.steps) and entry.step == 1
    return entry.what in BACK or (entry.what == StepOutcome.OPENED and is_asked)


class Living:
    """The recipients of one campaign, forwarded one at a time."""

    def __init__(self, drawn: Drawn, stage: Stage) -> None:
        self._drawn, self._company = drawn, drawn.company
        self._database, self._keyring = stage.database, stage.keyring
        self._conductor, self._skipper, self._clock = stage.conductor, stage.skipper, stage.clock
        self._now = drawn.scene.begins_at
        self._refs = sorted(drawn.recipients, key=lambda ref: ref.recipient_id)
        self._explaining = ExplainService(database=stage.database)
        self._caller = Caller(user_id=drawn.company.user_id, company_id=drawn.company.id)
        # What `explain` said of the campaign before each forward, and when that really was.
        self.announced: list[tuple[datetime | None, datetime]] = []
        # Those of whom it said that they would go, and whose slot was somebody else's by then.
        self.disappointed: list[tuple[int, datetime]] = []

    async def live(self, story: Story, more: Sequence[Entry] = ()) -> None:
        """Until nobody is open, with the launches of the story, and what comes back in it."""
        back = [*more, *(entry for entry in story.log.entries if _is_felt(entry, story))]
        events = {(entry.at, entry.place, 0): entry for entry in back}
        launches = {(at, -1, 0) for at in story.log.launches}
        while True:
            rows = await self._rows()
            due = [
                (row.next_at, place, 1)
                for place, row in enumerate(rows)
                if row.next_at and not row.ended_at and row.started_at
            ]
            moments = [*events, *due, *launches]
            if not moments:
                return
            at, place, rank = min(moments)
            if place < 0:
                launches.remove((at, place, rank))
                await self._launch(at)
                continue
            if rank == 1 and at < self._now:
                # It came due while it was held, and was let go: nothing has to be forwarded.
                await self._until_moved(rows[place])
                await self.look_round(self._now)
                continue
            # Asked at the last moment at which it was still ahead.
            asked_at = min(self._now, at - timedelta(seconds=1))
            following = await self._following(asked_at) if rank == 1 else None
            self._now = at
            handle = self._conductor.recipient(self._refs[place])
            done = self._clock.finished[handle.id]
            is_over = rows[place].ended_at is not None
            self._clock.forwarded[handle.id] = at
            if not is_over:
                ahead = at - await self._skipper.get_current_time(handle)
                if ahead > timedelta():
                    await self._skipper.fast_forward(handle, ahead)
            if rank == 0:
                is_felt = await self.happen(events.pop((at, place, 0)))
                is_over = is_over or not is_felt
            if not is_over:
                await self._clock.until_finished(handle.id, done + 1)
            if rank == 1 and not await self._is_refused(rows[place]):
                self.announced.append((following.at if following else None, at))
            elif following and (following.recipient_id, following.at) == (rows[place].id, at):
                self.disappointed.append((place, at))
            await self.look_round(at)

    async def happen(self, entry: Entry) -> bool:
        """Let it come back; whether its workflow does anything about it."""
        if entry.what in BACK:
            await self._receive(entry.place, BACK[entry.what], entry.at, entry.until)
        else:
            await self._open(entry.place, entry.at)
        return True

    async def look_round(self, now: datetime) -> None:
        """After every move."""

    async def mails(self) -> list[tuple[int, int, datetime]]:
        """By whom, of which step, scheduled for when."""
        places = {ref.recipient_id: place for place, ref in enumerate(self._refs)}
        numbers = {id_: number for number, id_ in enumerate(self._drawn.campaign.step_ids, 1)}
        async with self._company.session() as session:
            actions = await session.scalars(select(ActionRow))
            return sorted(
                (places[a.recipient_id], numbers[a.step_id], a.planned_at) for a in actions
            )

    async def attempts(self) -> list[tuple[datetime, datetime]]:
        """When each was planned, and when it was begun."""
        async with self._company.session() as session:
            actions = await session.scalars(select(ActionRow))
            return [(action.planned_at, action.attempted_at) for action in actions]

    async def ends(self) -> list[EndReason | None]:
        return [EndReason(row.end_reason) if row.end_reason else None for row in await self._rows()]

    async def _following(self, now: datetime) -> Following | None:
        campaign_id = self._drawn.campaign.id
        return (await self._explaining.campaign(self._caller, campaign_id, now=now)).following

    async def _is_refused(self, row: RecipientRow) -> bool:
        """Whether it came for a step, and the step was not begun."""
        if row.next_step_id is None:
            return False
        async with self._company.session() as session:
            action = await session.get(ActionRow, action_id_of(row.id, row.next_step_id))
        return action is None

    async def _until_moved(self, before: RecipientRow) -> None:
        async with asyncio.timeout(60):
            while True:
                [row] = [row for row in await self._rows() if row.id == before.id]
                if (row.next_at, row.end_reason) != (before.next_at, before.end_reason):
                    return
                await asyncio.sleep(0.02)

    async def _launch(self, at: datetime) -> None:
        campaign_id, company_id = self._drawn.campaign.id, self._company.id
        await launch_page(self._database, self._conductor, company_id, campaign_id, now=at)

    async def _rows(self) -> list[RecipientRow]:
        async with self._company.session() as session:
            found = await session.scalars(select(RecipientRow).order_by(RecipientRow.id))
            return list(found)

    async def _open(self, place: int, at: datetime) -> None:
        """The first mail is opened, and a decision hangs on it."""
        ref, first = self._refs[place], self._drawn.campaign.step_ids[0]
        async with self._company.session() as session:
            connection = await session.connection()
            action_id = action_id_of(ref.recipient_id, first)
            await note_outcome(connection, action_id, StepOutcome.OPENED, at=at)
        await self._conductor.wake(ref, WakeSignal(event_id=uuid7()))

    async def _receive(
        self, place: int, kind: InboundKind, at: datetime, returns_at: datetime | None
    ) -> None:
        recipient_id = self._refs[place].recipient_id
        async with self._company.session() as session:
            sent = select(ActionRow).where(ActionRow.recipient_id == recipient_id)
            last = (await session.scalars(sent.order_by(ActionRow.attempted_at.desc()))).first()
        assert last is not None
        event = InboundEvent(
            company_id=self._company.id,
            account_id=last.account_id,
            provider="gmail",
            provider_event_id=f"{kind}-{place}-{at}",
            kind=kind,
            thread_id=last.thread_id,
            occurred_at=at,
            returns_at=returns_at,
        )
        await receive_inbound(self._database, self._keyring, self._conductor, event)
