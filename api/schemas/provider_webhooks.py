"""Bodies that providers send us, in their own words."""

import json
from base64 import b64decode
from binascii import Error as NotBase64

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import Invalid


class MailboxNews(BaseModel):
    """What Gmail tells: how far the history of a mailbox has come."""

    email_address: str = Field(alias="emailAddress", max_length=320)
    history_id: int = Field(alias="historyId", ge=0, lt=2**63)


class PushedMessage(BaseModel):
    data: str = Field(
        max_length=10_000, description="Base64 of {emailAddress, historyId}, as Gmail makes it."
    )
    message_id: str = Field("", alias="messageId")


class GmailPush(BaseModel):
    """A Pub/Sub push message; fields that say nothing to us may stand beside these."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "message": {
                        "data": "eyJlbWFpbEFkZHJlc3MiOiJhQGIuYyIsImhpc3RvcnlJZCI6IjQyIn0=",
                        "messageId": "2070443601311540",
                    },
                    "subscription": "projects/acme/subscriptions/mail",
                }
            ]
        }
    )

    message: PushedMessage
    subscription: str = ""

    @classmethod
    def read(cls, body: bytes) -> "GmailPush":
        """Raises Invalid."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            raise _invalid(error, "body") from None

    def news(self) -> MailboxNews:
        """Raises Invalid."""
        data = self.message.data.replace("-", "+").replace("_", "/")
        try:
            return MailboxNews.model_validate(json.loads(b64decode(data + "==")))
        except ValidationError as error:
            raise _invalid(error, "message.data") from None
        except (NotBase64, ValueError, RecursionError):
            raise Invalid("It is no Base64 of a JSON object", field="message.data") from None


def _invalid(error: ValidationError, field: str) -> Invalid:
    first = error.errors(include_url=False)[0]
    place = ".".join(str(it) for it in first["loc"])
    return Invalid(first["msg"], field=f"{field}.{place}" if place else field)


class PushAnswer(BaseModel):
    mailboxes: int = Field(description="How many are read now; 0: there was nothing new in it.")
