"""Bodies of /api/companies/{company_id}/segments."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from api.schemas.fields import Answer, Body, Long, NotNull, Short
from api.schemas.leads import LeadTraits

_EXAMPLE: dict[str, Any] = {
    "name": "Directors in software",
    "filter": {"seniority": "director", "industry": "software", "fit_score_min": 70},
}


class KeptFilter(LeadTraits):
    """Only what was given is shown."""

    @model_serializer(mode="wrap")
    def _given(self, show: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def] # a type here would replace the fields in the document
        return {name: value for name, value in show(self).items() if value is not None}


class SegmentAnswer(Answer):
    """Who is in it is found anew each time that it is used."""

    id: UUID
    name: str
    description: str | None
    filter: KeptFilter
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime

    @field_validator("filter", mode="before")
    @classmethod
    def _of_today(cls, value: dict[str, Any]) -> KeptFilter:
        return KeptFilter.model_validate(value)


class NewSegment(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Short
    description: Long | None = None
    filter: LeadTraits = Field(description="As the list of leads takes it; `{}` is every lead.")


class SegmentChange(Body):
    """What is left out stays as it is; a filter replaces the whole filter."""

    read_only: ClassVar = frozenset({"id", "created_by", "created_at", "updated_at"})

    name: Annotated[Short | None, NotNull] = Field(None, examples=["Directors"])
    description: Long | None = None
    filter: Annotated[LeadTraits | None, NotNull] = None
