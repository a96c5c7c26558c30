"""Answers of /api/messages."""

from uuid import UUID

from pydantic import Field

from api.schemas.recipients import ActionAnswer


class MessageAnswer(ActionAnswer):
    """An action, with who was meant: one line of the log."""

    campaign_id: UUID
    lead_id: UUID
    account_id: UUID = Field(description="From which account.")
    channel: str | None = Field(description="Null once the step was removed.", examples=["email"])
    to: str | None = Field(description="The lead's address now.", examples=["ada@example.com"])
