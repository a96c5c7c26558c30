"""Fields that say when and how much may be sent: windows, and limits of campaigns and accounts."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from api.schemas.fields import Body, Flag, wrong
from shared.db.holidays import is_place
from shared.domain.windows import read_hours

Seconds = Annotated[int, Field(ge=1, le=86_400)]


def _off_is_none(value: Any) -> Any:
    return None if value is False or value in ([], {}) else value


def _readable(days: dict[str, list[str]]) -> dict[str, list[str]]:
    try:
        read_hours(days)
    except ValueError as error:
        raise wrong(str(error)) from None
    return days


def _known_place(place: str) -> str:
    if place != "lead" and not is_place(place):
        raise wrong("Use an ISO country code such as DE or US-CA, or `lead` for the lead's country")
    return place


class _Kept(Body):
    """Stored as it is answered, with what was left out."""

    @model_validator(mode="after")
    def _with_defaults(self) -> "_Kept":
        self.model_fields_set.update(type(self).model_fields)
        return self


class _Lean(Body):
    """Only what differs from the usual is stored, so that what was read may be sent back."""

    @model_validator(mode="after")
    def _without_defaults(self) -> "_Lean":
        fields = type(self).model_fields.items()
        self.model_fields_set.clear()
        given = {name for name, field in fields if getattr(self, name) != field.default}
        self.model_fields_set.update(given)
        return self


class SendingWindow(_Kept):
    """Hours end before they begin when they reach into the next day: `22:00-02:00`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "days": {"monday": ["09:00-12:00", "13:00-17:00"], "tuesday": ["09:00-17:00"]},
                    "holidays": "DE",
                }
            ]
        }
    )

    days: Annotated[
        dict[str, Annotated[list[str], Field(max_length=24)]],
        Field(max_length=7, description="Hours of each weekday that has some, in local time."),
        AfterValidator(_readable),
    ]
    in_lead_zone: Flag = Field(True, description="Where the lead is, if that is known.")
    holidays: Annotated[str, Field(max_length=10), AfterValidator(_known_place)] | None = Field(
        None, description="A country, or a part of one, on whose public holidays nothing is sent."
    )
    spread_minutes: Annotated[int, Field(ge=0, le=600)] = Field(
        0, description="Over how long those who wait for an opening are spread."
    )


class Rotation(StrEnum):
    EVEN = "even"
    WEIGHTED = "weighted"


class CampaignLimits(_Lean):
    new_leads_per_day: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="First steps begun in 24 hours; the other leads stay pending."
    )
    rotation: Rotation = Field(
        Rotation.EVEN, description="`weighted`: accounts take leads by their daily limits."
    )


class RampUp(Body):
    start: Annotated[int, Field(ge=1, le=10_000)] = Field(description="On the first day.")
    step: Annotated[int, Field(ge=1, le=10_000)] = Field(description="More on each day after it.")


class AccountLimits(_Lean):
    """Beside `daily_limit`. All of them hold at once, in any span of their length."""

    per_minute: Annotated[int, Field(ge=1, le=10_000)] | None = None
    per_hour: Annotated[int, Field(ge=1, le=100_000)] | None = None
    per_week: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    messages_per_day: Annotated[int, Field(ge=0, le=1_000)] | None = Field(
        None,
        description="Of a LinkedIn account, whose `daily_limit` and `per_week` are about"
        " invitations; 50 if left out.",
    )
    withdraw_after_days: Annotated[int, Field(ge=1, le=180)] | None = Field(
        None,
        description="Of a LinkedIn account: invitations that nobody has accepted; else the"
        " company's `withdraw_invitations_after_days`, or 21.",
    )
    at_once: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        None, description="Of a phone line: calls that may be under way at the same time."
    )
    min_gap_seconds: Seconds | None = Field(None, description="Between two actions.")
    gap_jitter_seconds: Seconds | None = Field(
        None, description="By how much more they are planned apart, differently each time."
    )
    ramp_up: RampUp | None = Field(
        None, description="Actions a day while the account is new; it begins when this is set."
    )

    @model_validator(mode="after")
    def _fits(self) -> "AccountLimits":
        if self.gap_jitter_seconds and not self.min_gap_seconds:
            raise wrong("gap_jitter_seconds is added to min_gap_seconds: give both")
        return self


Window = Annotated[SendingWindow | None, BeforeValidator(_off_is_none)]
Limits = Annotated[CampaignLimits | None, BeforeValidator(_off_is_none)]
BusinessDays = Annotated[
    int, Field(ge=0, le=500, description="From Monday to Friday without the window's holidays.")
]
OnDate = Annotated[
    date | None,
    Field(description="The step waits for this day, where the lead is, if its delays end before."),
]
