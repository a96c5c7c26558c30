"""What came of a phone call, from what its provider says about it. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

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
class CallReport:
    """One call as its provider tells of it. `is_over`: nothing more will be said on the line.

    `key`: what we marked it with. `price` in dollars. Times are aware UTC.
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


def is_never_again(report: CallReport) -> bool:
    """The agent has understood that the lead is not to be contacted any more."""
    return report.disposition == Disposition.DO_NOT_CONTACT
