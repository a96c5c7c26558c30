"""What a rehearsal begins with, and what it writes down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.domain.branches import OutcomeIs, StepOutcome
from shared.domain.calendar import ANYWHERE, Calendar
from shared.domain.channels import Channel
from shared.domain.recipient import Progress, Step
from shared.domain.rehearsal_diary import Sender
from shared.domain.rehearsal_people import SILENCE, Behaviour
from shared.domain.windows import Opening, Window

# Holidays are known for some years only, and nobody plans for longer.
LONGEST = timedelta(days=3 * 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What has happened to somebody who was started before the rehearsal begins.

    `reached`: the steps that have reached the lead, and when. `begun`: the accounts that it goes
    on with.
    """

    progress: Progress
    reached: Mapping[UUID, datetime] = field(default_factory=dict)
    begun: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A lead of the campaign. `id`: the recipient's. `name`: what the report calls it.

    `lead`: its fields, for conditions. `calling`: when the law lets it be called. `sender_id`:
    the mailbox it was given already. `denied`: why it cannot be reached in a channel. `flaw`:
    why it is never started. `gaps`: the variables without a value, of steps that have such.
    `past` None: it is still to be started.
    """

    id: UUID
    name: str
    calendar: Calendar = ANYWHERE
    window: Window | None = None
    calling: Opening | None = None
    lead: Mapping[str, Any] = field(default_factory=dict)
    sender_id: UUID | None = None
    denied: Mapping[Channel, str] = field(default_factory=dict)
    gaps: Mapping[UUID, str] = field(default_factory=dict)
    flaw: str | None = None
    past: Past | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A campaign that is activated, or goes on, at `begins_at`. `senders`: in its order.

    `start_at`: waits count from it, if it is later. `new_leads_per_day` None: no bound.
    """

    campaign_id: UUID
    steps: tuple[Step, ...]
    people: tuple[Person, ...]
    senders: tuple[Sender, ...]
    begins_at: datetime
    start_at: datetime | None = None
    new_leads_per_day: int | None = None
    is_weighted: bool = False
    behaviour: Behaviour = SILENCE
    seed: int = 0


def outcomes_asked_for(steps: Sequence[Step]) -> frozenset[tuple[UUID, StepOutcome]]:
    """What decisions hang on: whoever waits for one looks again when it comes."""
    conditions = [guard.condition for step in steps for guard in step.guards]
    return frozenset((it.step_id, it.outcome) for it in conditions if isinstance(it, OutcomeIs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the dated schedule. `step`: from 1. `sender_id` None: a person does it.

    `what`: `sent`, `called`, `to do`, `done`, an outcome, or the kind of what came back.
    """

    at: datetime
    place: int
    what: str
    step: int | None = None
    channel: Channel | None = None
    sender_id: UUID | None = None
    until: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Delays:
    """How often something moved a plan, by how long in all and at the most, and the first time."""

    first_at: datetime
    times: int = 0
    total: timedelta = timedelta()
    longest: timedelta = timedelta()

    def add(self, by: timedelta) -> None:
        self.times += 1
        self.total += by
        self.longest = max(self.longest, by)
