"""Bodies of /api/templates."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.fields import Answer, Body, NotNull, Short, Words
from api.schemas.steps import Subject

Text = Annotated[
    Words,
    Field(
        description="Text, or HTML when it has elements of HTML. Jinja's language without calls;"
        ' a filter may be written as in Django: `{{ lead.budget_max|floatformat:"0g" }}`.',
        examples=["Hello {{ lead.first_name|default('there') }}"],
    ),
]


class TemplateAnswer(Answer):
    id: UUID
    name: str
    subject: str | None
    message_template: str
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class NewTemplate(Body):
    name: Short = Field(examples=["First mail"])
    subject: Subject | None = None
    message_template: Text


class TemplateChange(Body):
    """What is left out stays as it is."""

    read_only: ClassVar = frozenset({"id", "created_by", "created_at", "updated_at"})

    name: Annotated[Short | None, NotNull] = None
    subject: Subject | None = None
    message_template: Annotated[Text | None, NotNull] = None


class ToRender(Body):
    not_yet: ClassVar = frozenset({"listing_id"})

    template: Text
    subject: Subject | None = None
    lead_id: UUID | None = Field(None, description="Whose values; without it made-up ones.")
    listing_id: Annotated[
        None,
        Field(
            description="Not available yet. The variables of `property` come from the lead's"
            " custom field `property`, or from those that begin with `property_`."
        ),
    ] = None


class Rendered(BaseModel):
    """`text` and `html` are null when something that is needed has no value."""

    subject: str | None
    text: str | None
    html: str | None = Field(description="Null for a template of plain text.")
    missing_variables: list[str] = Field(examples=[["lead.city"]])
    unknown_variables: list[str] = Field(description="What no lead ever has.")
    error: str | None = Field(None, description="Why it cannot be filled in.")


class Variables(BaseModel):
    """The names behind each group: `{{ lead.city }}`."""

    lead: list[str] = Field(description="`custom` has the fields of one's own: lead.custom.plan.")
    company: list[str]
    product: list[str] = Field(description="Of the product that the campaign names.")
    property: list[str] = Field(description="From the lead's custom fields.")
    campaign: list[str]
    sender: list[str]
    filters: list[str]
