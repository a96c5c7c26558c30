"""Bodies of /api/appointments, and of connecting a calendar."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, model_validator

from api.schemas.fields import Answer, Body, Instant, Short, wrong
from shared.db.models import AppointmentStatus, CalendarProvider

LONGEST_SEARCH = timedelta(days=31)
Minutes = Annotated[int, Field(ge=5, le=480, description="How long it takes.")]
_AT: dict[str, Any] = {
    "lead_id": "01939b7e-0000-7000-8000-000000000001",
    "starts_at": "2026-03-02T10:00:00Z",
    "minutes": 30,
}
_SOON: dict[str, Any] = {
    "lead_id": "01939b7e-0000-7000-8000-000000000001",
    "from": "2026-03-02T08:00:00Z",
    "until": "2026-03-04T18:00:00Z",
}


class NewCalendar(Body):
    """`booking_url` for `link`: a page on which leads choose a time by themselves."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"provider": "google"}]})

    provider: CalendarProvider
    booking_url: HttpUrl | None = Field(None, examples=["https://calendar.example.com/ada"])
    return_to: Short | None = Field(None, description="Where the person's browser ends up.")

    @model_validator(mode="after")
    def _has_its_link(self) -> Self:
        if (self.provider is CalendarProvider.LINK) != (self.booking_url is not None):
            raise wrong("Give booking_url for the provider link, and for no other")
        return self


class CalendarAnswer(BaseModel):
    """`authorize_url`: where the person lets us in; null: it is connected."""

    provider: CalendarProvider
    authorize_url: str | None
    booking_url: str | None


class NewAppointment(Body):
    """For a lead or a recipient: at `starts_at`, or at the first free time `from` ... `until`."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"examples": [_AT, _SOON]})

    lead_id: UUID | None = None
    recipient_id: UUID | None = None
    user_id: UUID | None = Field(None, description="Whose calendar; without it the caller's own.")
    starts_at: Instant | None = None
    from_: Instant | None = Field(None, alias="from")
    until: Instant | None = None
    minutes: Minutes = 30
    title: Short | None = None

    @model_validator(mode="after")
    def _has_one_of_each(self) -> Self:
        if (self.lead_id is None) == (self.recipient_id is None):
            raise wrong("Name the lead_id or the recipient_id")
        has_range = self.from_ is not None and self.until is not None
        if (self.from_ is None) != (self.until is None) or (self.starts_at and has_range):
            raise wrong("Give starts_at, or from and until, or none of them for a booking link")
        return self


class AppointmentAnswer(Answer):
    """`offered`: the lead has the link `url` and chooses. `reserved`: the calendar was asked, and
    its answer was lost: ask for the same again, and it is made once; or the calendar is asked in
    some minutes, and it is `booked` or `refused` then. `created_by` null: agreed on in a call."""

    id: UUID
    status: AppointmentStatus
    lead_id: UUID
    recipient_id: UUID | None
    user_id: UUID
    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    url: str | None
    refusal: str | None
    created_by: UUID | None
    created_at: datetime
    booked_at: datetime | None


class FreeSlot(BaseModel):
    starts_at: datetime
    ends_at: datetime
