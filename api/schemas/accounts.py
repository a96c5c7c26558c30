"""Bodies of /api/accounts."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from api.schemas.fields import Answer, Body, Flag, NotNull, Short, storable
from shared.db.models.accounts import AccountKind, AccountStatus

ReturnTo = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2_000),
    AfterValidator(storable),
    Field(description="Where the person goes afterwards: an address of ours or of a frontend."),
]


class NewConnection(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"return_to": "https://app.example.com/settings"}]}
    )

    return_to: ReturnTo | None = None


class ConnectAnswer(Answer):
    authorize_url: str = Field(
        description="Send the person here. Works once, within ten minutes.",
        examples=["https://drumbeat.example.com/email/connect/?ticket=..."],
    )


class AccountAnswer(Answer):
    """`sent_today`: in the last 24 hours, as the limit counts. Tokens are never returned."""

    id: UUID
    user_id: UUID
    kind: AccountKind
    email: str
    display_name: str | None
    is_primary: bool
    status: AccountStatus
    status_reason: str | None = Field(description="What is wrong and what to do about it.")
    scopes: list[str]
    daily_limit: int | None
    sent_today: int
    blocked_until: datetime | None
    last_polled_at: datetime | None
    created_at: datetime


class AccountChange(Body):
    read_only: ClassVar = frozenset(AccountAnswer.model_fields.keys()) - {
        "display_name",
        "is_primary",
        "daily_limit",
    }

    is_primary: Annotated[Flag | None, NotNull] = None
    display_name: Short | None = Field(None, description="The sender's name in mails.")
    daily_limit: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(
        None, description="Mails in 24 hours; null is no limit of ours.", examples=[40]
    )
