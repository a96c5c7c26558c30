"""Bodies of /api/companies."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import Field, model_validator

from api.callers import Scope
from api.schemas.fields import Answer, Body, Like, Long, NotNull, Short, TimeZone
from shared.db.models import Role

BRAND = ("brand_primary_color", "brand_tone", "opt_out_text", "withdraw_invitations_after_days")
FLAGS = ("one_campaign_at_a_time", "asks_about_unconfirmed", "reply_holds_colleagues")
Country = Annotated[str, Like(r"^[A-Z]{2}$", "Give the country's two letters, such as DE")]
Countries = Annotated[list[Country], Field(max_length=250)]
Color = Annotated[
    str,
    Like(r"^#[0-9a-fA-F]{6}$", "Give a colour as # and six hexadecimal digits, such as #1f6feb"),
    Field(examples=["#1f6feb"]),
]


class CompanyAnswer(Answer):
    id: UUID
    name: str = Field(examples=["Analytical Engines"])
    website: str | None
    industry: str | None
    address: str | None
    postal_address: str | None
    time_zone: str
    brand_primary_color: str | None = None
    brand_tone: str | None = None
    opt_out_text: str | None = None
    one_campaign_at_a_time: bool = False
    asks_about_unconfirmed: bool = False
    reply_holds_colleagues: bool = False
    calls_without_consent_in: list[str] = Field(default_factory=list)
    withdraw_invitations_after_days: int | None = None
    research: dict[str, Any] | None = Field(None, description="Null: nothing is known yet.")
    role: Role | None = Field(None, description="The caller's; null for an API key.")
    created_at: datetime
    updated_at: datetime

    @model_validator(mode="before")
    @classmethod
    def _unpack_settings(cls, row: Any) -> Any:
        if isinstance(row, dict):
            return row
        fields = {name: getattr(row, name) for name in _COLUMNS}
        fields |= {name: row.settings.get(name, False) for name in FLAGS}
        fields["calls_without_consent_in"] = row.settings.get("calls_without_consent_in") or []
        return fields | {name: row.settings.get(name) for name in BRAND}


_IN_SETTINGS = {*BRAND, *FLAGS, "calls_without_consent_in"}
_COLUMNS = tuple(CompanyAnswer.model_fields.keys() - {*_IN_SETTINGS, "research", "role"})


class NewCompany(Body):
    name: Short = Field(examples=["Analytical Engines"])
    website: Short | None = None
    industry: Short | None = None
    address: Long | None = None
    postal_address: Long | None = Field(None, description="Stands in every mail.")
    time_zone: TimeZone = "UTC"
    brand_primary_color: Color | None = None
    brand_tone: Short | None = None


class CompanyChange(Body):
    """What is left out stays as it is."""

    read_only: ClassVar = frozenset({"id", "research", "role", "created_at", "updated_at"})

    name: Annotated[Short | None, NotNull] = None
    website: Short | None = None
    industry: Short | None = None
    address: Long | None = None
    postal_address: Long | None = None
    time_zone: Annotated[TimeZone | None, NotNull] = None
    brand_primary_color: Color | None = None
    brand_tone: Short | None = Field(None, examples=["calm and precise"])
    opt_out_text: Short | None = Field(
        None,
        description="Stands with its link below every mail, in the language of the mails; without"
        " it a line in English does. A template places the link by campaign.unsubscribe_url.",
        examples=["Keine Mails mehr? Hier abmelden"],
    )
    one_campaign_at_a_time: Annotated[bool | None, NotNull] = Field(
        None, description="Leads that are active in one campaign are refused by the others."
    )
    asks_about_unconfirmed: Annotated[bool | None, NotNull] = Field(
        None,
        description="A mail by SMTP of which nobody knows whether it was sent waits for a person;"
        " else it counts as sent after 24 hours.",
    )
    reply_holds_colleagues: Annotated[bool | None, NotNull] = Field(
        None,
        description="A reply pauses the recipients at the same domain, until a person resumes.",
    )
    calls_without_consent_in: Annotated[Countries | None, NotNull] = Field(
        None,
        description="Countries whose law, as the company has found out, asks for no consent before"
        " an AI calls. Where we know a law that does, it goes on to be asked for.",
        examples=[["NZ"]],
    )
    withdraw_invitations_after_days: Annotated[int, Field(ge=1, le=180)] | None = Field(
        None, description="At LinkedIn, those that nobody has accepted; 21 if it is null."
    )


class NewApiKey(Body):
    name: Short = Field(examples=["nightly import"])
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)] = Field(
        examples=[["read", "inbound"]], description="`write` includes `read`."
    )


class ApiKeyAnswer(Answer):
    id: UUID
    name: str
    prefix: str = Field(description="The key's first characters, to tell keys apart.")
    scopes: list[str]
    created_by: UUID | None
    created_at: datetime


class NewApiKeyAnswer(ApiKeyAnswer):
    key: str = Field(description="The secret itself. It is shown this once.")
