"""Answers of /api/companies/{company_id}/audit."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from api.schemas.fields import Answer


class AuditAnswer(Answer):
    """One row that somebody has written. Secrets read `***`."""

    id: UUID
    at: datetime
    user_id: UUID | None = Field(description="The person, or null.")
    key_id: UUID | None = Field(description="The API key, or null.")
    action: Literal["created", "changed", "deleted"]
    subject: str = Field(description="What it is, as a table's name.", examples=["campaigns"])
    subject_id: UUID | None = Field(description="Null for many at once, which are counted.")
    before: dict[str, Any] | None = Field(description="Of a change, what was different.")
    after: dict[str, Any] | None

    @model_validator(mode="before")
    @classmethod
    def _unpack_actor(cls, row: Any) -> Any:
        if isinstance(row, dict):
            return row
        kind, _, actor_id = row.actor.partition(":")
        fields = {name: getattr(row, name) for name in _COLUMNS}
        return fields | {
            "user_id": actor_id if kind == "user" else None,
            "key_id": actor_id if kind == "key" else None,
        }


_COLUMNS = tuple(AuditAnswer.model_fields.keys() - {"user_id", "key_id"})
