"""What came of a phone call, from what its provider says about it. Pure."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.domain.branches import StepOutcome
from shared.domain.leads import LeadStatus


class Disposition(StrEnum):
    """What the agent's model says that a call came to; the provider may know more of them."""

    INTERESTED = "INTERESTED"
    NOT_INTERESTED = "NOT_INTERESTED"
    DO_NOT_CONTACT = "DO_NOT_CONTACT"
    CALL_BACK_SCHEDULED = "CALL_BACK_SCHEDULED"
    NO_CONTACT_MADE = "NO_CONTACT_MADE"
    NO_ANSWER = "NO_ANSWER"
    BUSY = "BUSY"
    CANCELED = "CANCELED"
    FAILED = "FAILED"


class Speaker(StrEnum):
    LEAD = "user"
    AGENT = "assistant"
    MACHINE = "robot"
    ACTION = "agent-action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    speaker: Speaker
    text: str
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingWish:
    """The lead wants to meet. `starts_at` None: no time was agreed on."""

    starts_at: datetime | None
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """One call as its provider tells of it. `is_over`: nothing more will be said on the line.

    `key`: what we marked it with. `price` in dollars. Times are aware UTC. `meeting_at`: the time
    that was agreed on, as the agent has written it down.
    """

    call_id: str
    is_over: bool
    key: str | None = None
    to: str | None = None
    status: str | None = None
    queue_status: str | None = None
    answered_by: str | None = None
    disposition: str | None = None
    ended_by: str | None = None
    summary: str | None = None
    transcript: tuple[Utterance, ...] = field(default=(), repr=False)
    recording_url: str | None = None
    price: float | None = None
    duration_seconds: int | None = None
    error: str | None = None
    meeting_at: str | None = None
    meeting_minutes: float | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def said(self) -> tuple[str, ...]:
        """The lead's own words."""
        return tuple(it.text for it in self.transcript if it.speaker is Speaker.LEAD)


_BY_ANSWERER = {
    "human": StepOutcome.ANSWERED,
    "voicemail": StepOutcome.VOICEMAIL,
    "no-answer": StepOutcome.NO_ANSWER,
}
_BY_STATUS = {
    "no-answer": StepOutcome.NO_ANSWER,
    "busy": StepOutcome.NO_ANSWER,
    "canceled": StepOutcome.NO_ANSWER,
    "failed": StepOutcome.FAILED,
}
_BY_DISPOSITION: dict[str, StepOutcome] = {
    Disposition.NO_ANSWER: StepOutcome.NO_ANSWER,
    Disposition.BUSY: StepOutcome.NO_ANSWER,
    Disposition.NO_CONTACT_MADE: StepOutcome.NO_ANSWER,
    Disposition.CANCELED: StepOutcome.NO_ANSWER,
    Disposition.FAILED: StepOutcome.FAILED,
}
_BROKEN = frozenset({"pre_queue_error", "queue_error", "call_error"})
# Bland's own, and what people call theirs.
_MEETINGS = frozenset(
    {Disposition.CALL_BACK_SCHEDULED, "MEETING_BOOKED", "MEETING_SCHEDULED", "WANTS_MEETING"}
    | {"APPOINTMENT_BOOKED", "APPOINTMENT_SCHEDULED"}
)
USUAL_MINUTES, SHORTEST_MINUTES, LONGEST_MINUTES = 30, 5, 480
_HAS_TIME = re.compile(r"\d[T ]\d\d?:\d\d")
# What a conversation says about the lead. A verdict without a conversation says nothing.
_LEAD_STATUS: dict[str, LeadStatus] = {
    Disposition.INTERESTED: LeadStatus.INTERESTED,
    Disposition.CALL_BACK_SCHEDULED: LeadStatus.INTERESTED,
    Disposition.NOT_INTERESTED: LeadStatus.NOT_INTERESTED,
}


def outcome_of(report: CallReport) -> StepOutcome:
    """What a branch can ask for. Who picked up comes first, then how the line ended.

    Where nobody says who picked up, words of the lead do: a machine's are told apart from them.
    """
    if found := _BY_ANSWERER.get(report.answered_by or ""):
        return found
    if report.queue_status in _BROKEN:
        return StepOutcome.FAILED
    if found := _BY_STATUS.get(report.status or ""):
        return found
    if report.said:
        return StepOutcome.ANSWERED
    return _BY_DISPOSITION.get(report.disposition or "", StepOutcome.NO_ANSWER)


def lead_status_of(report: CallReport) -> LeadStatus | None:
    """None: nothing was said that changes it."""
    if outcome_of(report) is not StepOutcome.ANSWERED:
        return None
    return _LEAD_STATUS.get(report.disposition or "")


def ends_it(report: CallReport) -> bool:
    """A no on the phone is an answer, and an answer ends it; any other goes on to the next step."""
    return lead_status_of(report) is LeadStatus.NOT_INTERESTED


def meeting_of(report: CallReport, *, zone: ZoneInfo) -> MeetingWish | None:
    """None: nobody wants to meet. `zone`: of a time that was written down without one."""
    if outcome_of(report) is not StepOutcome.ANSWERED or ends_it(report) or is_never_again(report):
        return None
    if report.meeting_at is None and report.disposition not in _MEETINGS:
        return None
    minutes = report.meeting_minutes or USUAL_MINUTES
    return MeetingWish(
        starts_at=_instant(report.meeting_at, zone),
        minutes=round(min(max(minutes, SHORTEST_MINUTES), LONGEST_MINUTES)),
    )


def _instant(words: str | None, zone: ZoneInfo) -> datetime | None:
    """An ISO 8601 date and time. What is no time of a day is none to book."""
    if words is None or not _HAS_TIME.search(words):
        return None
    try:
        at = datetime.fromisoformat(words)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_never_again(report: CallReport) -> bool:
    """The agent has understood that the lead is not to be contacted any more."""
    return report.disposition == Disposition.DO_NOT_CONTACT
