"""What a rehearsal writes down while it plays: the schedule, and what moved it."""

from datetime import datetime

from shared.domain.recipient import Planned, Step
from shared.domain.rehearsal_diary import Diary
from shared.domain.rehearsal_life import Life
from shared.domain.rehearsal_scene import Delays, Entry
from shared.domain.slots import Slot
from shared.domain.windows import Closed, Opening


class Log:
    """`entries`: what happened, in order. `collisions`: by account and words of its limit.

    `closures`: how the campaign's hours moved plans. `launches`: when somebody was started.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.collisions: dict[tuple[Diary, str], Delays] = {}
        self.closures: dict[Closed, Delays] = {}
        self.launches: list[datetime] = []

    def note(
        self,
        life: Life,
        what: str,
        at: datetime,
        *,
        step: Step | None = None,
        desk: Diary | None = None,
        until: datetime | None = None,
    ) -> None:
        self.entries.append(
            Entry(
                at=at,
                place=life.place,
                what=what,
                step=step.position if step else None,
                channel=step.channel if step else None,
                sender_id=desk.sender.id if desk else None,
                until=until,
            )
        )

    def note_wait(self, window: Opening, plan: Planned, due: datetime) -> None:
        """By how much the hours have moved a plan that was due."""
        if why := window.why_closed(due):
            self.closures.setdefault(why, Delays(first_at=due)).add(plan.at - due)

    def note_collision(self, desk: Diary, plan: Planned, slot: Slot) -> None:
        if slot.words and slot.at > plan.at:
            key = (desk, slot.words)
            self.collisions.setdefault(key, Delays(first_at=plan.at)).add(slot.at - plan.at)
