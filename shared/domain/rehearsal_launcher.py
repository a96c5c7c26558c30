"""Who is started when: as many as the accounts have room for, the rest as the days go by."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from shared.domain.booking import put_in_slot
from shared.domain.pacing import FIRST_MAILS_AHEAD
from shared.domain.recipient import ActivityName, Planned
from shared.domain.rehearsal_diary import Diary
from shared.domain.rehearsal_life import Life
from shared.domain.rehearsal_world import World
from shared.domain.slots import Slot, assign

DAY = timedelta(days=1)
# How many are started at once, and how often it is looked who can be started.
PAGE = 200
ROUND = timedelta(seconds=60)

_First = tuple[Planned, Slot | None, Diary | None]


class Launcher:
    """As `FirstPlans` does it with rows: in turn over the accounts, three days ahead at most."""

    def __init__(self, world: World) -> None:
        scene = world.scene
        self._world, self._scene = world, scene
        self._pending = [
            life
            for life in reversed(world.lives)
            if life.person.flaw is None and life.person.past is None
        ]
        pasts = [life.person.past for life in world.lives if life.person.past]
        self._begun = sorted(past.progress.started_at for past in pasts)
        self._desks = world.stage.mailboxes
        self._by_id = {desk.sender.id: desk for desk in self._desks}
        self._weights = {
            desk.sender.id: desk.sender.weight if scene.is_weighted else 1 for desk in self._desks
        }
        self.next_at: datetime | None = scene.begins_at if self._pending else None

    @property
    def pending(self) -> Sequence[Life]:
        return self._pending

    def launch(self, now: datetime) -> None:
        """Start whom there is room for; `next_at` says when to look again, if anybody is left."""
        again: datetime | None = now
        waiting = len(self._pending)
        while self._pending and again == now:
            again = self._launch_page(now)
        if len(self._pending) < waiting:
            self._world.log.launches.append(now)
        self.next_at = self._round(again, now) if self._pending and again else None

    def hurry(self, at: datetime) -> None:
        """A slot is free again: somebody who waits may have it."""
        if self._pending:
            at = self._round(at, at)
            self.next_at = min(self.next_at, at) if self.next_at else at

    def _launch_page(self, now: datetime) -> datetime | None:
        """`now` when the page was full, else when there may be room again."""
        room = self._room(now)
        if room < 1:
            return self._begun[-(self._scene.new_leads_per_day or 0)] + DAY
        turns = self._turns()
        for _ in range(min(PAGE, room, len(self._pending))):
            life = self._pending[-1]
            pinned = self._by_id.get(life.person.sender_id) if life.person.sender_id else None
            found = self._plan_one(life, pinned or next(turns, None), pinned is not None, now)
            if isinstance(found, datetime):
                return found
            self._pending.pop()
            self._begun.append(now)
            plan, slot, life.mailbox = found
            self._world.start(life, plan, slot, now)
        return now

    def _room(self, now: datetime) -> int:
        """How many may still begin today."""
        most = self._scene.new_leads_per_day
        if most is None:
            return len(self._pending)
        today = 0
        for at in reversed(self._begun[-most:]):
            today += at > now - DAY
        return most - today

    def _turns(self) -> Iterator[Diary]:
        given = {id_: desk.firsts_booked for id_, desk in self._by_id.items()}
        while chosen := assign(self._weights, 1, given=given):
            given[chosen[0]] += 1
            yield self._by_id[chosen[0]]

    def _plan_one(
        self, life: Life, wanted: Diary | None, is_pinned: bool, now: datetime
    ) -> _First | datetime:
        """With the account whose turn it is, or another one that has room; else when there is."""
        begins = self._scene.start_at
        life.started_at = max(now, begins) if begins else now
        room: list[datetime] = []
        for desk in [wanted] if is_pinned else self._in_turn(wanted):
            life.mailbox = desk
            life.steps = self._world.stage.steps_of(life, self._scene.steps)
            move = self._world.decide(life, now)
            if not isinstance(move, Planned) or move.step_id is None:
                return _look(now), None, desk
            serving = self._world.stage.desk_for(life, life.step_of(move.step_id))
            if serving is not desk:
                # Another channel's account; who has started books there.
                return _look(now), None, desk
            if desk is None or not desk.limits:
                self._world.note_wait(life, move, now)
                return move, None, desk
            plan, slot = self._find_slot(life, desk, move, now)
            ahead = max(now, move.at) + FIRST_MAILS_AHEAD
            if slot.at <= ahead:
                self._world.note_wait(life, move, now)
                self._world.log.note_collision(desk, move, slot)
                return plan, slot, desk
            room.append(slot.at - FIRST_MAILS_AHEAD)
        return min(room)

    def _find_slot(
        self, life: Life, desk: Diary, move: Planned, now: datetime
    ) -> tuple[Planned, Slot]:
        assert move.step_id is not None  # noqa: S101 - it was looked at
        wish = life.wish_for(move.step_id, desk, self._scene.campaign_id)
        holds, window = desk.holds_for(wish), life.window_for(life.step_of(move.step_id))
        return put_in_slot(move, holds, window=window, seed=wish.seed, now=now)

    def _in_turn(self, wanted: Diary | None) -> Iterator[Diary | None]:
        yield wanted
        yield from (desk for desk in self._desks if desk is not wanted)

    def _round(self, at: datetime, now: datetime) -> datetime:
        """The next time that somebody looks: `at` or later, and after `now`."""
        begins = self._scene.begins_at
        rounds = max(-((begins - at) // ROUND), (now - begins) // ROUND + 1)
        return begins + ROUND * rounds


def _look(now: datetime) -> Planned:
    return Planned(
        activity=ActivityName.RECIPIENT_PLAN, step_id=None, at=now, label="look at the rows"
    )
