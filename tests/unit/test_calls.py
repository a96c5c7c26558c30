"""What came of a call, in the words that branches ask for."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.domain.branches import StepOutcome
from shared.domain.calls import (
    CallReport,
    Speaker,
    Utterance,
    ends_it,
    is_never_again,
    lead_status_of,
    meeting_of,
    outcome_of,
)
from shared.domain.leads import LeadStatus

ANSWERED, VOICEMAIL = StepOutcome.ANSWERED, StepOutcome.VOICEMAIL
NO_ANSWER, FAILED = StepOutcome.NO_ANSWER, StepOutcome.FAILED
HELLO = (Utterance(speaker=Speaker.LEAD, text="Hello?"),)
MACHINE = (Utterance(speaker=Speaker.MACHINE, text="Leave a message"),)


def report(**more: object) -> CallReport:
    return CallReport(call_id="c", is_over=True, **more)  # type: ignore[arg-type]  # a table's cells


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({"answered_by": "human", "status": "completed"}, ANSWERED),
        ({"answered_by": "human", "disposition": "NO_CONTACT_MADE"}, ANSWERED),
        ({"answered_by": "voicemail", "status": "completed"}, VOICEMAIL),
        ({"answered_by": "no-answer"}, NO_ANSWER),
        ({"status": "no-answer"}, NO_ANSWER),
        ({"status": "busy"}, NO_ANSWER),
        ({"status": "canceled"}, NO_ANSWER),
        ({"status": "failed"}, FAILED),
        ({"queue_status": "call_error", "status": "unknown"}, FAILED),
        ({"answered_by": "unknown", "status": "completed", "transcript": HELLO}, ANSWERED),
        ({"answered_by": "unknown", "status": "completed", "transcript": MACHINE}, NO_ANSWER),
        ({"status": "completed", "disposition": "BUSY"}, NO_ANSWER),
        ({"status": "completed", "disposition": "FAILED"}, FAILED),
        ({"status": "completed"}, NO_ANSWER),
        ({"status": "something new", "answered_by": "somebody new"}, NO_ANSWER),
    ],
)
def test_what_came_of_it(told: dict[str, object], outcome: StepOutcome) -> None:
    assert outcome_of(report(**told)) is outcome


@pytest.mark.parametrize(
    ("disposition", "status", "is_end"),
    [
        ("INTERESTED", LeadStatus.INTERESTED, False),
        ("CALL_BACK_SCHEDULED", LeadStatus.INTERESTED, False),
        ("NOT_INTERESTED", LeadStatus.NOT_INTERESTED, True),
        ("NEEDS_MORE_INFO", None, False),
        (None, None, False),
    ],
)
def test_what_a_conversation_says_about_the_lead(
    disposition: str | None, status: LeadStatus | None, is_end: bool
) -> None:
    talked = report(answered_by="human", disposition=disposition)

    assert (lead_status_of(talked), ends_it(talked)) == (status, is_end)


def test_a_verdict_without_a_conversation_says_nothing() -> None:
    unheard = report(answered_by="voicemail", disposition="NOT_INTERESTED")

    assert (lead_status_of(unheard), ends_it(unheard)) == (None, False)


def test_the_agent_s_verdict_is_heard_whoever_picked_up() -> None:
    assert is_never_again(report(answered_by=None, disposition="DO_NOT_CONTACT"))
    assert not is_never_again(report(disposition="NOT_INTERESTED"))


@pytest.mark.parametrize(
    ("told", "starts_at", "minutes"),
    [
        ({"meeting_at": "2026-12-01T10:00:00+01:00"}, datetime(2026, 12, 1, 9, tzinfo=UTC), 30),
        ({"meeting_at": "2026-12-01 10:00"}, datetime(2026, 12, 1, 9, tzinfo=UTC), 30),
        (
            {"meeting_at": "2026-12-01T10:00Z", "meeting_minutes": 45.0},
            datetime(2026, 12, 1, 10, tzinfo=UTC),
            45,
        ),
        ({"meeting_at": "2026-12-01T10:00Z", "meeting_minutes": 9e9}, ..., 480),
        ({"meeting_at": "2026-12-01"}, None, 30),
        ({"meeting_at": "Tuesday at ten"}, None, 30),
        ({"meeting_at": "2026-13-41T10:00"}, None, 30),
        ({"meeting_at": "0001-01-01T00:00"}, None, 30),
        ({"disposition": "CALL_BACK_SCHEDULED"}, None, 30),
    ],
)
def test_a_call_that_ends_with_a_meeting_says_when(
    told: dict[str, object], starts_at: object, minutes: int
) -> None:
    """A time without a zone is the lead's."""
    wish = meeting_of(report(answered_by="human", **told), zone=ZoneInfo("Europe/Berlin"))
    assert wish is not None
    assert wish.minutes == minutes
    assert starts_at in {wish.starts_at, ...}


@pytest.mark.parametrize(
    "told",
    [
        {"answered_by": "human", "disposition": "INTERESTED"},
        {"answered_by": "human", "disposition": "NOT_INTERESTED", "meeting_at": "2026-12-01T10:00"},
        {"answered_by": "human", "disposition": "DO_NOT_CONTACT", "meeting_at": "2026-12-01T10:00"},
        {"answered_by": "voicemail", "meeting_at": "2026-12-01T10:00"},
        {"answered_by": "voicemail", "disposition": "CALL_BACK_SCHEDULED"},
    ],
)
def test_whoever_agrees_on_nothing_is_not_met(told: dict[str, object]) -> None:
    assert meeting_of(report(**told), zone=ZoneInfo("UTC")) is None
