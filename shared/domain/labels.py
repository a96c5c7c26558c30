"""Steps and decisions in the words of people, as Temporal's pages and `explain` show them."""

from collections.abc import Iterable

from shared.domain.branches import Condition, Guard, LeadIs, LeadTest, OutcomeIs, StepOutcome
from shared.domain.recipient import Step

# Of a summary Temporal keeps so much; what comes first says most.
LONGEST = 160
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_OUTCOMES = {
    StepOutcome.CONNECTED: ("was accepted", "was not accepted"),
    StepOutcome.ANSWERED: ("was answered", "was not answered"),
    StepOutcome.VOICEMAIL: ("reached a voicemail", "reached no voicemail"),
    StepOutcome.NO_ANSWER: ("was not picked up", "was not left ringing"),
    StepOutcome.OPENED: ("was opened", "was not opened"),
    StepOutcome.CLICKED: ("was clicked", "was not clicked"),
    StepOutcome.DONE: ("was done", "was not done"),
    StepOutcome.SKIPPED: ("was skipped", "was not skipped"),
    StepOutcome.FAILED: ("failed", "did not fail"),
    StepOutcome.REFUSED: ("was refused", "was not refused"),
}
_TESTS = {
    LeadTest.IS: ("is", "is not"),
    LeadTest.IS_NOT: ("is not", "is"),
    LeadTest.CONTAINS: ("contains", "does not contain"),
    LeadTest.ONE_OF: ("is one of", "is none of"),
    LeadTest.AT_LEAST: ("is at least", "is not at least"),
    LeadTest.AT_MOST: ("is at most", "is not at most"),
    LeadTest.IS_SET: ("is known", "is not known"),
    LeadTest.IS_NOT_SET: ("is not known", "is known"),
}


def title_of(step: Step) -> str:
    """`step 4 (chat)`; a name that only says what the step is already is left out."""
    is_told = step.name and not step.name.startswith(f"{step.channel}-")
    return f"step {step.position} ({step.name})" if is_told else f"step {step.position}"


def label_of(step: Step, steps: tuple[Step, ...]) -> str:
    """What is done, and on which way."""
    place, _, name = title_of(step).partition(" (")
    title = f"{place} of {len(steps)} ({name}" if name else f"{place} of {len(steps)}"
    way = f", as {side_of(step.guards[-1], steps)}" if step.guards else ""
    return f"{title}, {step.activity}{way}"[:LONGEST]


def side_of(guard: Guard, steps: Iterable[Step]) -> str:
    """A decision that has fallen: `step 1 (invite) was accepted within 5 days`."""
    return _in_words(guard.condition, steps, 0 if guard.is_met else 1)


def question_in_words(condition: Condition, steps: Iterable[Step]) -> str:
    """A decision that is open: `step 1 (invite) was accepted within 5 days?`."""
    return f"{_in_words(condition, steps, 0)}?"


def _in_words(condition: Condition, steps: Iterable[Step], place: int) -> str:
    """`place`: 0 for yes, 1 for no."""
    if isinstance(condition, OutcomeIs):
        words = _OUTCOMES[condition.outcome][place]
        return f"{_asked(condition, steps)} {words}{_span(condition)}"
    return f"{condition.field} {_TESTS[condition.test][place]}{_value(condition)}"


def _asked(condition: OutcomeIs, steps: Iterable[Step]) -> str:
    step = next((step for step in steps if step.id == condition.step_id), None)
    return title_of(step) if step else "a step that was removed"


def _span(condition: OutcomeIs) -> str:
    """In the largest unit that says it without a rest."""
    seconds = condition.within_seconds
    if not seconds:
        return ""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    number = seconds // size
    return f" within {number} {unit}{'' if number == 1 else 's'}"


def _value(condition: LeadIs) -> str:
    value = condition.value
    if value is None:
        return ""
    return f" {', '.join(value)}" if isinstance(value, tuple) else f" {value}"
