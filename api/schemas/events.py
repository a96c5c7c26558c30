"""What /api/events tells."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


class EventAnswer(BaseModel):
    """The same form in which webhooks get it, with its id."""

    id: UUID
    type: str = Field(examples=["action.sent"])
    timestamp: datetime
    data: dict[str, Any] = Field(description="Ids and small values: campaign_id, recipient_id ...")
