"""Bodies of /api/companies/{company_id}/leads."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from api.schemas.addresses import LinkedInUrl, Phone
from api.schemas.fields import (
    Answer,
    Body,
    Custom,
    Email,
    Long,
    NotNull,
    Records,
    Short,
    TimeZone,
    wrong,
)
from shared.domain.leads import LeadStatus

Money = Annotated[int, Field(ge=0, le=10**15, description="In whole units of the currency.")]
Areas = Annotated[list[Short], Field(max_length=100)]


class LeadFields(Body):
    """Every field of a lead that somebody may write; what is left out stays as it is."""

    read_only: ClassVar = frozenset({"id", "created_at", "updated_at"})

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "email": "ada@example.com",
                    "first_name": "Ada",
                    "company_name": "Analytical Engines",
                    "city": "London",
                    "custom": {"favourite": "looms"},
                }
            ]
        }
    )

    email: Email | None = None
    phone: Phone | None = None
    linkedin_url: LinkedInUrl | None = None
    first_name: Short | None = None
    last_name: Short | None = None
    name: Short | None = None
    title: Short | None = None
    role: Short | None = None
    seniority: Short | None = None
    company_name: Short | None = None
    company_website: Short | None = None
    industry: Short | None = None
    city: Short | None = None
    region: Short | None = None
    country: Short | None = None
    time_zone: TimeZone | None = None
    language: Short | None = None
    fit_score: Annotated[int, Field(ge=0, le=100)] | None = None
    budget_min: Money | None = None
    budget_max: Money | None = None
    beds: Annotated[int, Field(ge=0, le=1_000)] | None = None
    areas: Annotated[Areas | None, NotNull] = None
    status: Annotated[LeadStatus | None, NotNull] = None
    location_moves: Annotated[Records | None, NotNull] = None
    job_changes: Annotated[Records | None, NotNull] = None
    source: Short | None = None
    consent: Long | None = Field(None, description="On what ground this person is written to.")
    custom: Annotated[Custom | None, NotNull] = None


class NewLead(LeadFields):
    @model_validator(mode="after")
    def _is_somebody(self) -> "NewLead":
        if not (self.email or self.phone or self.linkedin_url or self.name or self.last_name):
            raise wrong("Give at least an email address, phone number, LinkedIn profile or name")
        return self


class LeadAnswer(Answer):
    id: UUID
    email: str | None
    phone: str | None
    linkedin_url: str | None
    first_name: str | None
    last_name: str | None
    name: str | None
    title: str | None
    role: str | None
    seniority: str | None
    company_name: str | None
    company_website: str | None
    industry: str | None
    city: str | None
    region: str | None
    country: str | None
    time_zone: str | None
    language: str | None
    fit_score: int | None
    budget_min: int | None
    budget_max: int | None
    beds: int | None
    areas: list[str]
    status: LeadStatus
    location_moves: list[dict[str, Any]]
    job_changes: list[dict[str, Any]]
    source: str | None
    consent: str | None
    custom: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class LeadTraits(Body):
    """What leads have in common: every given filter has to match."""

    q: Short | None = Field(
        None, description="Words or their beginnings, of a name, an address or a company's name."
    )
    status: LeadStatus | None = None
    company_name: Short | None = None
    role: Short | None = None
    seniority: Short | None = None
    industry: Short | None = None
    city: Short | None = None
    country: Short | None = None
    fit_score_min: Annotated[int, Field(ge=0, le=100)] | None = None
    fit_score_max: Annotated[int, Field(ge=0, le=100)] | None = None
    budget_min: Money | None = Field(None, description="Leads that can spend at least this.")
    budget_max: Money | None = Field(None, description="Leads that would spend no more than this.")
    not_in_campaign: UUID | None = Field(None, description="A campaign that they are not in.")


class LeadSelection(LeadTraits):
    """Which leads: every given filter has to match, that of the segment too."""

    segment_id: UUID | None = Field(None, description="A segment that they are in.")


class LeadFilter(LeadSelection):
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = None
