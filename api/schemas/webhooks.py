"""Bodies of /api/webhooks."""

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from api.schemas.fields import Answer, Body, Long, NotNull, one_line, storable, wrong
from shared.db.models import DeliveryStatus
from shared.webhooks import EVENT_GROUPS

_GROUPS = "|".join(EVENT_GROUPS)
_PATTERN = rf"^(\*|({_GROUPS})\.(\*|[a-z_]+))$"


def _is_event(value: str) -> str:
    if not re.fullmatch(_PATTERN, value):
        raise wrong(
            "Use the name of an event such as action.sent, a group such as campaign.*, or *;"
            f" groups are {', '.join(EVENT_GROUPS)}"
        )
    return value


EventPattern = Annotated[
    str,
    StringConstraints(max_length=100),
    AfterValidator(_is_event),
    Field(examples=["campaign.*", "action.sent", "*"], json_schema_extra={"pattern": _PATTERN}),
]
EventPatterns = Annotated[
    list[EventPattern],
    Field(
        min_length=1,
        max_length=50,
        description=f"Names of events, `group.*` or `*`; groups are {', '.join(EVENT_GROUPS)}.",
    ),
]
WebhookUrl = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000),
    AfterValidator(storable),
    AfterValidator(one_line),
    Field(
        description="An https address that is reached from the internet.",
        examples=["https://example.com/drumbeat"],
    ),
]


class WebhookAnswer(Answer):
    """`failures`: in a row, since `failing_since`; nothing is tried before `resting_until`."""

    id: UUID
    url: str
    description: str | None
    events: list[str]
    is_enabled: bool
    disabled_reason: str | None = Field(description="Why it was switched off, if not by a person.")
    failures: int
    failing_since: datetime | None
    resting_until: datetime | None
    last_attempt_at: datetime | None
    last_success_at: datetime | None
    old_secret_until: datetime | None = Field(
        description="Until then the secret before the last change signs as well."
    )
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class NewWebhookAnswer(WebhookAnswer):
    secret: str = Field(
        description="What the signatures are made with (standardwebhooks.com). It is shown this"
        " once.",
        examples=["whsec_..."],
    )


class NewWebhook(Body):
    url: WebhookUrl
    events: EventPatterns = Field(default_factory=lambda: ["*"])
    description: Long | None = None
    is_enabled: bool = True


class WebhookChange(Body):
    """What is left out stays as it is."""

    read_only: ClassVar = frozenset(WebhookAnswer.model_fields.keys()) - {
        "url",
        "events",
        "description",
        "is_enabled",
    }

    url: Annotated[WebhookUrl | None, NotNull] = None
    events: Annotated[EventPatterns | None, NotNull] = None
    description: Long | None = Field(None, examples=["our CRM"])
    is_enabled: Annotated[bool | None, NotNull] = Field(
        None, description="Switching it on again forgets its failures; what waits is sent then."
    )


class DeliveryAnswer(Answer):
    """One event on its way to one webhook. `response_*` and `error` are of the last attempt."""

    id: UUID
    webhook_id: UUID
    event_id: UUID = Field(description="The header `webhook-id`, the same in every attempt.")
    event: str = Field(examples=["action.sent"])
    data: dict[str, Any]
    occurred_at: datetime
    status: DeliveryStatus
    attempts: int
    next_at: datetime | None = Field(description="When it is tried; null when it is settled.")
    last_attempt_at: datetime | None
    response_status: int | None
    response_body: str | None = Field(description="The first kilobyte of it.")
    response_ms: int | None
    error: str | None = Field(description="Why there was no answer.")
    delivered_at: datetime | None
    created_at: datetime
