"""Bodies of /api/suppressions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.schemas.fields import Answer, Body, Flag, Short, wrong
from api.schemas.paging import Cursor, Limit
from shared.suppression import SuppressionKind, SuppressionReason


class SuppressionAnswer(Answer):
    """`value` null: only its keyed hash is kept."""

    id: UUID
    kind: str = Field(examples=["email"], description="email, domain, phone or linkedin.")
    value: str | None = Field(examples=["ada@example.com"])
    reason: str = Field(examples=["unsubscribe"])
    source: str = Field(examples=["person"], description="Who told, such as person, import, gmail.")
    created_at: datetime


class AddedSuppression(SuppressionAnswer):
    is_new: bool = Field(description="False: it was suppressed before, and is as it was.")
    ended: int = Field(description="Recipients that were waiting and are ended.")


def _given(reason: SuppressionReason) -> SuppressionReason:
    if reason is SuppressionReason.ERASED:
        raise wrong("Erase the lead instead: a suppression alone removes nobody")
    return reason


class NewSuppression(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "domain", "value": "example.com"}]}
    )

    kind: SuppressionKind
    value: Short = Field(
        description="An address, a domain without its subdomains, a phone number, a profile."
    )
    reason: Annotated[SuppressionReason, AfterValidator(_given)] = SuppressionReason.MANUAL
    is_value_kept: Flag = Field(True, description="false: keep no more than a keyed hash.")


class SuppressionSelection(Body):
    """Which suppressions, and how many of them."""

    kind: SuppressionKind | None = None
    reason: SuppressionReason | None = None
    value: Short | None = Field(
        None, description="Exactly this one; found also where only its hash is kept."
    )
    limit: Limit = 50
    cursor: Cursor = None


class RefusedEntry(Answer):
    row: int = Field(examples=[7], description="As spreadsheets count.")
    value: str
    reason: str


class ImportedSuppressions(BaseModel):
    added: int
    already: int = Field(description="They were there, or twice in the file.")
    ended: int = Field(description="Recipients that were waiting and are ended.")
    refused_count: int
    refused: list[RefusedEntry] = Field(description="The first 1,000; the others were taken.")
