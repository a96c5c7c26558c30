"""Body of POST /api/inbound."""

from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from api.schemas.fields import Body, Email, Short, storable, wrong
from shared.domain.inbound import InboundKind

MessageId = Annotated[
    Short, Field(max_length=998, description="The Message-ID that it answers (RFC 5322).")
]


class InboundReport(Body):
    """Something that came back. At least one of thread_id, in_reply_to, call_id and address
    says whose."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "provider": "mailbox-job",
                    "provider_event_id": "4711",
                    "kind": "reply",
                    "address": "ada@example.com",
                    "text": "Yes, please.",
                    "occurred_at": "2026-03-02T10:00:00Z",
                }
            ]
        }
    )

    provider: Short
    provider_event_id: Short = Field(description="A repeat of the same is the same event.")
    kind: InboundKind
    account_id: UUID | None = Field(None, description="The mailbox that it came to, if known.")
    thread_id: Short | None = None
    in_reply_to: MessageId | None = None
    call_id: Short | None = Field(None, description="The provider's, of a call that we placed.")
    address: Email | None = None
    subject: (
        Annotated[str, StringConstraints(max_length=2_000), AfterValidator(storable)] | None
    ) = None
    text: (
        Annotated[str, StringConstraints(max_length=1_000_000), AfterValidator(storable)] | None
    ) = None
    occurred_at: AwareDatetime

    @field_validator("in_reply_to")
    @classmethod
    def _in_brackets(cls, value: str | None) -> str | None:
        return f"<{value.strip('<> ')}>" if value else None

    @model_validator(mode="after")
    def _says_whose(self) -> "InboundReport":
        if not (self.thread_id or self.in_reply_to or self.call_id or self.address):
            raise wrong("Give at least one of thread_id, in_reply_to, call_id and address")
        return self


class InboundAnswer(BaseModel):
    is_new: bool = Field(description="False: it was reported before.")
