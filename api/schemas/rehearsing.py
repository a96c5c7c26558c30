"""What a rehearsal is asked for, and what it answers."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, field_validator, model_validator

from api.schemas.fields import Body, Short, wrong
from shared.domain.branches import StepOutcome
from shared.domain.inbound import InboundKind
from shared.domain.rehearsal_people import USUAL, Behaviour, Happening, Rates, Span

Rate = Annotated[float, Field(ge=0, le=1)]
Hours = Annotated[float, Field(ge=0, le=2_160)]
Days = Annotated[float, Field(ge=0, le=1_095)]
FIRST_YEAR, LAST_YEAR = 2020, 2050
# What people do to a campaign; the rest of what can come back is about mailboxes.
ANSWERS = frozenset(
    {
        InboundKind.REPLY,
        InboundKind.AUTO_REPLY,
        InboundKind.BOUNCE,
        InboundKind.UNSUBSCRIBE,
        InboundKind.COMPLAINT,
        InboundKind.MEETING_BOOKED,
    }
)


class StepBehaviour(Body):
    """What share of people does what with a step; of calls, the rest does not answer."""

    reply_rate: Rate = USUAL.rates.reply
    out_of_office_rate: Rate = USUAL.rates.out_of_office
    bounce_rate: Rate = USUAL.rates.bounce
    unsubscribe_rate: Rate = USUAL.rates.unsubscribe
    complaint_rate: Rate = USUAL.rates.complain
    open_rate: Rate = USUAL.rates.open
    click_rate: Rate = USUAL.rates.click
    accept_rate: Rate = USUAL.rates.accept
    answer_rate: Rate = USUAL.rates.answer
    voicemail_rate: Rate = USUAL.rates.voicemail

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.answer_rate + self.voicemail_rate > 1:
            raise wrong("answer_rate and voicemail_rate are more than all calls together")
        return self

    def to_rates(self) -> Rates:
        return Rates(
            reply=self.reply_rate,
            out_of_office=self.out_of_office_rate,
            bounce=self.bounce_rate,
            unsubscribe=self.unsubscribe_rate,
            complain=self.complaint_rate,
            open=self.open_rate,
            click=self.click_rate,
            accept=self.accept_rate,
            answer=self.answer_rate,
            voicemail=self.voicemail_rate,
        )


class Certainty(Body):
    """Something that happens for certain: an answer, or an outcome of a step."""

    event: InboundKind | None = Field(None, description="Such as `reply`, `bounce`, `auto_reply`.")
    outcome: StepOutcome | None = Field(None, description="Of `step`, such as `voicemail`.")
    lead: Short | None = Field(None, description="By address; without it everybody does it.")
    step: Annotated[int, Field(ge=1)] | None = Field(
        None, description="It counts from when this step is done; without it from the start."
    )
    day: Days = Field(0, description="So many days after that.")
    days_away: Days = Field(0, description="Of an `auto_reply`: until the lead is back.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.event is None) == (self.outcome is None):
            raise wrong("Give either an event or an outcome")
        if self.event is not None and self.event not in ANSWERS:
            raise wrong(f"Use one of {', '.join(sorted(ANSWERS))}")
        if self.outcome is not None and self.step is None:
            raise wrong("An outcome is one of a step: give its number")
        return self

    def to_happening(self) -> Happening:
        return Happening(
            kind=self.event,
            outcome=self.outcome,
            name=self.lead,
            step=self.step,
            after_seconds=int(self.day * 86_400),
            away_seconds=int(self.days_away * 86_400),
        )


class PeopleBehaviour(StepBehaviour):
    """How people answer; without a rate, what is usual in cold outreach."""

    steps: Annotated[dict[Annotated[int, Field(ge=1)], StepBehaviour], Field(max_length=200)] = (
        Field({}, description="By number of the step, where people behave otherwise.")
    )
    happenings: Annotated[list[Certainty], Field(max_length=1_000)] = Field(
        [], description="What is certain, beside the rates."
    )
    reply_within_hours: Hours = Field(96, description="Most replies come sooner.")
    away_days: Days = Field(14, description="Who is out of office is back within so many days.")
    todo_within_hours: Hours = Field(48, description="What people of ours need for a to-do.")

    def to_behaviour(self) -> Behaviour:
        return Behaviour(
            rates=self.to_rates(),
            steps={number: step.to_rates() for number, step in self.steps.items()},
            happenings=tuple(one.to_happening() for one in self.happenings),
            reply_after=_up_to(USUAL.reply_after, self.reply_within_hours * 3_600),
            away_for=_up_to(USUAL.away_for, self.away_days * 86_400),
            todo_takes=_up_to(USUAL.todo_takes, self.todo_within_hours * 3_600),
        )


class RehearsalOrder(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"seed": 7, "behaviour": {"reply_rate": 0.1}}]}
    )

    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    behaviour: PeopleBehaviour = PeopleBehaviour()
    begins_at: AwareDatetime | None = Field(
        None, description="When it is activated; without it now, to the minute."
    )

    @field_validator("begins_at")
    @classmethod
    def _is_near(cls, at: datetime | None) -> datetime | None:
        """Holidays and clocks are known for some years only."""
        if at is not None and not FIRST_YEAR <= at.year <= LAST_YEAR:
            raise wrong(f"Use a date from {FIRST_YEAR} to {LAST_YEAR}")
        return at


class RehearsalAnswer(Body):
    """The report, or the task that makes it."""

    task_id: UUID | None = Field(None, description="A big one is read at its `result_url`.")
    report: dict[str, Any] | None = None


def _up_to(span: Span, most: float) -> Span:
    return Span(least=min(span.least, int(most)), most=int(most))
