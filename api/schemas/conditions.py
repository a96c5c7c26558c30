"""Conditions, as people write them: on what came of an earlier step, or on the lead."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Discriminator, Field, Tag, model_validator

from api.schemas.fields import Body, Flag, Like, Short, wrong
from shared.domain.branches import Condition, LeadIs, LeadTest, OutcomeIs, StepOutcome
from shared.templating.variables import VARIABLES

MOST_SECONDS = 366 * 86_400
WITHOUT_VALUE = (LeadTest.IS_SET, LeadTest.IS_NOT_SET)
NUMERIC = (LeadTest.AT_LEAST, LeadTest.AT_MOST)
# What is made of other fields, or holds more than one value, cannot be compared.
_NOT_COMPARED = {"name", "custom", "location_moves", "job_changes"}
LEAD_FIELDS = frozenset(VARIABLES["lead"]) - _NOT_COMPARED

Key = Annotated[
    str,
    Like(
        r"^[a-z][a-z0-9_-]{0,49}$",
        "Use up to 50 small letters, digits, - and _, beginning with a letter",
    ),
    Field(examples=["invite"], description="The step's name in its campaign, which stays."),
]
StepName = Annotated[
    int | Short, Field(examples=["invite", 1], description="An earlier step: key, id or number.")
]
Found = Callable[[int | str], UUID]
Named = Callable[[UUID], str]


class OutcomeCondition(Body):
    """True once `outcome` has come of the step; with a `within_...` only in time.

    Until the time is over the recipient waits. Without it, what is known by then decides.
    """

    step: StepName
    outcome: StepOutcome = Field(examples=["connected"])
    within_days: Annotated[int, Field(ge=0, le=365)] = 0
    within_hours: Annotated[int, Field(ge=0, le=8_760)] = 0
    within_minutes: Annotated[int, Field(ge=0, le=525_600)] = 0
    within_seconds: Annotated[int, Field(ge=0, le=MOST_SECONDS)] = 0

    @property
    def within(self) -> int | None:
        """In seconds. They add up."""
        span = timedelta(
            days=self.within_days,
            hours=self.within_hours,
            minutes=self.within_minutes,
            seconds=self.within_seconds,
        )
        return int(span.total_seconds()) or None


class LeadCondition(Body):
    """Compares a field of the lead: texts without regard to case, numbers as numbers."""

    lead: Short = Field(
        examples=["country"], description="A field of the lead, or `custom.` and a name."
    )
    test: LeadTest = Field(LeadTest.IS, examples=["is"])
    value: bool | str | int | list[str] | None = Field(
        None, examples=["DE"], description="A list for `one_of`; nothing for `is_set`."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "LeadCondition":
        is_custom = self.lead.startswith("custom.") and len(self.lead) > len("custom.")
        if not is_custom and self.lead not in LEAD_FIELDS:
            raise wrong(f"A lead has no field {self.lead} that can be compared; use custom.NAME")
        if self.test in WITHOUT_VALUE and self.value is not None:
            raise wrong(f"The test {self.test} takes no value: leave it out")
        if self.test not in WITHOUT_VALUE and self.value in (None, "", []):
            raise wrong(f"The test {self.test} needs a value")
        if isinstance(self.value, list) and self.test is not LeadTest.ONE_OF:
            raise wrong(f"The test {self.test} takes one value; a list is for one_of")
        if self.test in NUMERIC and not _is_number(self.value):
            raise wrong(f"The test {self.test} needs a number")
        return self


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "(lead)" if "lead" in value else "(outcome)"
    return "(lead)" if isinstance(value, LeadCondition) else "(outcome)"


AnyCondition = Annotated[
    Annotated[OutcomeCondition, Tag("(outcome)")] | Annotated[LeadCondition, Tag("(lead)")],
    Discriminator(_kind),
]


class OutcomeGuard(OutcomeCondition):
    is_met: Flag = Field(True, description="false: the step is for whom it is not true.")


class LeadGuard(LeadCondition):
    is_met: Flag = Field(True, description="false: the step is for whom it is not true.")


def _guard_kind(value: Any) -> str:
    if isinstance(value, dict):
        return "(lead)" if "lead" in value else "(outcome)"
    return "(lead)" if isinstance(value, LeadGuard) else "(outcome)"


AnyGuard = Annotated[
    Annotated[OutcomeGuard, Tag("(outcome)")] | Annotated[LeadGuard, Tag("(lead)")],
    Discriminator(_guard_kind),
]
When = Annotated[
    list[AnyGuard],
    Field(
        max_length=50,
        description="All of them have to hold, or the step is passed over. Neighbours that ask"
        " the same are the two ways of one decision.",
        examples=[[{"step": 1, "outcome": "answered", "is_met": False}]],
    ),
]


def to_condition(body: OutcomeCondition | LeadCondition, *, find: Found) -> Condition:
    """`find`: the id of the step that is named; it raises Invalid."""
    if isinstance(body, LeadCondition):
        value = tuple(body.value) if isinstance(body.value, list) else body.value
        return LeadIs(field=body.lead, test=body.test, value=value)
    return OutcomeIs(step_id=find(body.step), outcome=body.outcome, within_seconds=body.within)


def condition_fields(condition: Condition, *, name: Named) -> dict[str, Any]:
    """The body of a condition, without what is usual."""
    if isinstance(condition, LeadIs):
        fields: dict[str, Any] = {"lead": condition.field, "test": condition.test.value}
        value = list(condition.value) if isinstance(condition.value, tuple) else condition.value
        return fields | ({} if value is None else {"value": value})
    fields = {"step": name(condition.step_id), "outcome": condition.outcome.value}
    return fields | _spans(condition.within_seconds or 0)


def _spans(seconds: int) -> dict[str, int]:
    """In the largest units."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = {"days": days, "hours": hours, "minutes": minutes, "seconds": seconds}
    return {f"within_{unit}": number for unit, number in parts.items() if number}


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True
