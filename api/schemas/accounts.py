"""Bodies of /api/accounts."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from api.schemas.fields import (
    Answer,
    Body,
    Email,
    Flag,
    Like,
    NotNull,
    Short,
    one_line,
    storable,
    wrong,
)
from api.schemas.pacing import AccountLimits
from shared.db.models.accounts import AccountStatus
from shared.domain.channels import AccountKind
from shared.providers.mail_hosts import HOSTS, Security


def _known_provider(name: str) -> str:
    if name not in HOSTS:
        raise wrong(f"Use one of {', '.join(sorted(HOSTS))}, or leave it out and name the hosts")
    return name


ReturnTo = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2_000),
    AfterValidator(storable),
    Field(description="Where the person goes afterwards: an address of ours or of a frontend."),
]

Password = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1_000),
    AfterValidator(storable),
    AfterValidator(one_line),
    Field(json_schema_extra={"format": "password", "writeOnly": True}),
]
Host = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=253),
    Like(
        r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$",
        "Give the server's name or address alone, such as smtp.example.com",
    ),
]
Port = Annotated[int, Field(ge=1, le=65_535)]
DailyLimit = Annotated[int, Field(ge=0, le=1_000_000)]
Signature = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(storable)]
AccountType = Annotated[
    str, AfterValidator(_known_provider), Field(json_schema_extra={"enum": sorted(HOSTS)})
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


class NewMailbox(Body):
    """Hosts may be left out for a provider that we know, by `account_type` or by the address."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "account_email": "sam@example.com",
                    "account_password": "an app password",
                    "host": "smtp.example.com",
                    "imap_host": "imap.example.com",
                },
                {
                    "account_email": "sam@fastmail.com",
                    "account_password": "an app password",
                    "account_type": "fastmail",
                },
            ]
        }
    )

    account_email: Email
    account_password: Password
    account_type: AccountType | None = Field(None, description="A provider that we know.")
    username: Short | None = Field(None, description="For both servers; else the address.")
    host: Host | None = Field(None, description="Of the SMTP server.")
    port: Port | None = Field(None, description="465 with tls, 587 with starttls if left out.")
    security: Security | None = Field(None, description="`none` on this machine only.")
    imap_host: Host | None = None
    imap_port: Port | None = Field(None, description="993 with tls, 143 with starttls if left out.")
    imap_security: Security | None = None
    display_name: Short | None = Field(None, description="The sender's name in mails.")
    daily_limit: DailyLimit | None = Field(
        None, description="Mails in 24 hours; 40 for a new account."
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
    send_as: str | None = Field(description="The alias that mails come from, if not `email`.")
    signature: str | None = Field(description="HTML that stands below each mail.")
    daily_limit: int | None
    daily_ceiling: int | None = Field(description="What the provider allows in 24 hours.")
    limits: dict[str, Any]
    sent_today: int
    blocked_until: datetime | None = Field(description="It is left alone until then.")
    block_reason: str | None = Field(description="Why it is, or was last time.")
    failures: int = Field(
        description="Calls in a row that its provider did not answer as it should."
    )
    failing_since: datetime | None
    last_polled_at: datetime | None
    warning: str | None = Field(description="It works, and somebody should look after it.")
    warned_at: datetime | None
    created_at: datetime


class AccountChange(Body):
    read_only: ClassVar = frozenset(AccountAnswer.model_fields.keys()) - {
        "display_name",
        "is_primary",
        "daily_limit",
        "limits",
        "send_as",
        "signature",
    }

    is_primary: Annotated[Flag | None, NotNull] = None
    display_name: Short | None = Field(None, description="The sender's name in mails.")
    daily_limit: DailyLimit | None = Field(
        None, description="Mails in 24 hours; null is no limit of ours.", examples=[40]
    )
    limits: AccountLimits | None = Field(None, description="The finer ones; null is none.")
    send_as: Email | None = Field(
        None, description="An alias of the mailbox: see GET /api/accounts/{account_id}/aliases."
    )
    signature: Signature | None = Field(None, description="HTML; null is none.")


class AliasAnswer(Answer):
    email: str
    name: str | None
    signature: str | None = Field(description="HTML, as the person has written it at Google.")
    is_default: bool
    is_usable: bool = Field(description="Google has verified that it is theirs.")


class FindingAnswer(Answer):
    is_ok: bool | None = Field(description="Null: DNS did not answer.")
    found: list[str]
    remedy: str | None = Field(description="What to do about it.")


class DnsAnswer(Answer):
    mx: FindingAnswer
    spf: FindingAnswer
    dkim: FindingAnswer
    dmarc: FindingAnswer


class ScopesAnswer(Answer):
    is_ok: bool
    granted: list[str]
    missing: list[str]
    remedy: str | None


class QuotaAnswer(Answer):
    daily_limit: int | None
    ceiling: int | None = Field(description="The provider's own for a day, where we know it.")
    sent_today: int
    left: int | None = Field(description="Null: there is no limit.")
    blocked_until: datetime | None
    block_reason: str | None


class LastPollAnswer(Answer):
    is_ok: bool
    at: datetime | None
    remedy: str | None


class AccountCheckAnswer(Answer):
    """Whether the account is fit to send, and what to do where it is not."""

    is_ok: bool
    domain: str = Field(examples=["example.com"])
    status: AccountStatus
    status_reason: str | None
    dns: DnsAnswer
    scopes: ScopesAnswer
    quota: QuotaAnswer
    last_poll: LastPollAnswer
    checked_at: datetime
