"""Bodies of connecting LinkedIn, and of what Unipile tells."""

from uuid import UUID

from pydantic import ConfigDict, Field

from api.schemas.accounts import ReturnTo
from api.schemas.fields import Answer, Body


class NewLinkedInConnection(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"return_to": "https://app.example.com/settings"}]}
    )

    return_to: ReturnTo | None = None
    account_id: UUID | None = Field(None, description="The account that is to be connected again.")


class LinkedInConnectAnswer(Answer):
    authorize_url: str = Field(
        description="Send the person here, to log in at LinkedIn. Works for an hour.",
        examples=["https://account.unipile.com/..."],
    )


class UnipileNewsAnswer(Answer):
    is_new: bool = Field(description="False: it was known already, or concerns nobody here.")


class UnipileConnectedAnswer(Answer):
    account_id: UUID
