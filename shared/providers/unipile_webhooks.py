"""What Unipile tells by itself: messages, connections, the state of accounts.

There is no signature: a secret of ours comes back in a header. Its JSON has other types than the
answers of its API, so it is read here and nowhere else.
"""

import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.errors import Invalid

# The account works.
WELL = frozenset({"OK", "RECONNECTED", "CREATION_SUCCESS"})
# A person has to do something; the rest passes by itself.
TROUBLES = {
    "CREDENTIALS": "LinkedIn has ended the session: connect the account again.",
    "ERROR": "The account's session fails at LinkedIn: connect the account again.",
    "STOPPED": "The account was stopped at Unipile: start it there, or connect it again.",
    "PERMISSIONS": "LinkedIn lets the account do too little: connect the account again.",
    "DELETED": "The account was deleted at Unipile: connect it again.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """`is_ours`: written from the account itself, by us or by hand."""

    account_id: str
    chat_id: str
    message_id: str
    sender_id: str
    text: str
    at: datetime
    is_ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConnection:
    """Somebody is connected to the account now; Unipile notices up to eight hours later."""

    account_id: str
    member_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """`status` in Unipile's words."""

    account_id: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedResult:
    """Somebody has finished on the page of a hosted link. `name`: what we gave it."""

    account_id: str
    status: str
    name: str


Heard = NewMessage | NewConnection | AccountState


def is_secret(given: str | None, secret: str) -> bool:
    """Takes the same time for every wrong one."""
    return hmac.compare_digest((given or "").encode(), secret.encode())


def read_webhook(body: bytes) -> Heard | None:
    """None: nothing that concerns us. Raises Invalid."""
    message = _json(body)
    if "AccountStatus" in message:
        state = _part(message, "AccountStatus")
        return AccountState(account_id=_text(state, "account_id"), status=_text(state, "message"))
    match message.get("event"):
        case "message_received":
            return _new_message(message)
        case "new_relation":
            return NewConnection(
                account_id=_text(message, "account_id"),
                member_id=_text(message, "user_provider_id"),
            )
        case _:
            return None


def read_result(body: bytes) -> HostedResult:
    """What comes to the `notify_url` of a hosted link. Raises Invalid."""
    result = _json(body)
    return HostedResult(
        account_id=_text(result, "account_id"),
        status=_text(result, "status"),
        name=_text(result, "name"),
    )


def _new_message(message: dict[str, Any]) -> NewMessage | None:
    if message.get("is_event"):
        # "Ada has named this chat": nobody wrote anything.
        return None
    sender = _text(_part(message, "sender"), "attendee_provider_id")
    return NewMessage(
        account_id=_text(message, "account_id"),
        chat_id=_text(message, "chat_id"),
        message_id=_text(message, "message_id"),
        sender_id=sender,
        text=message["message"] if isinstance(message.get("message"), str) else "",
        at=_instant(message),
        is_ours=sender == _text(_part(message, "account_info"), "user_id"),
    )


def _json(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Invalid("Send a JSON object, as Unipile does", field="body")
    return message


def _part(message: dict[str, Any], field: str) -> dict[str, Any]:
    part = message.get(field)
    if not isinstance(part, dict):
        raise Invalid("It is missing or no object", field=field)
    return part


def _text(message: dict[str, Any], field: str) -> str:
    value = message.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= 500 or "\0" in value:
        raise Invalid("It is missing or no text", field=field)
    return value


def _instant(message: dict[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(_text(message, "timestamp")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("It is no time such as 2026-07-06T09:43:27.002Z", field="timestamp") from None
