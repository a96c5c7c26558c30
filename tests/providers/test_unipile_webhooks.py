"""What Unipile posts, in the shape in which it was seen to post it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import Invalid
from shared.providers.unipile_webhooks import (
    AccountState,
    HostedResult,
    NewConnection,
    NewMessage,
    is_secret,
    read_result,
    read_webhook,
)

MESSAGE: dict[str, Any] = {
    "event": "message_received",
    "account_id": "acc-1",
    "account_type": "LINKEDIN",
    "account_info": {"type": "LINKEDIN", "feature": "classic", "user_id": "ACoAAsam"},
    "webhook_name": "drumbeat-messaging",
    "chat_id": "chat-1",
    "sender": {"attendee_id": "at-1", "attendee_provider_id": "ACoAAada", "attendee_name": "Ada"},
    "subject": None,
    "message": "Yes, tell me more",
    "message_id": "m-1",
    "timestamp": "2026-07-06T09:43:27.002Z",
    "attachments": [],
    "is_sender": False,
    "is_event": 0,
}


def _read(message: dict[str, Any]) -> object:
    return read_webhook(json.dumps(message).encode())


def test_a_message_of_somebody_else_is_an_answer() -> None:
    assert _read(MESSAGE) == NewMessage(
        account_id="acc-1",
        chat_id="chat-1",
        message_id="m-1",
        sender_id="ACoAAada",
        text="Yes, tell me more",
        at=datetime(2026, 7, 6, 9, 43, 27, 2000, tzinfo=UTC),
        is_ours=False,
    )


def test_a_message_of_the_account_itself_is_known_as_its_own() -> None:
    found = _read(MESSAGE | {"sender": {"attendee_provider_id": "ACoAAsam"}})

    assert isinstance(found, NewMessage)
    assert found.is_ours


def test_a_new_connection_names_the_member() -> None:
    told = {
        "event": "new_relation",
        "account_id": "acc-1",
        "account_type": "LINKEDIN",
        "user_provider_id": "ACoAAada",
    }

    assert _read(told) == NewConnection(account_id="acc-1", member_id="ACoAAada")


def test_the_state_of_an_account_is_told_in_an_envelope() -> None:
    told = {"account_id": "acc-1", "account_type": "LINKEDIN", "message": "CREDENTIALS"}

    assert _read({"AccountStatus": told}) == AccountState(account_id="acc-1", status="CREDENTIALS")


@pytest.mark.parametrize(
    "message", [{"event": "message_read"}, {}, MESSAGE | {"is_event": 1, "message": None}]
)
def test_what_concerns_nobody_is_passed_over(message: dict[str, Any]) -> None:
    assert _read(message) is None


@pytest.mark.parametrize(
    "message",
    [
        {"event": "message_received"},
        MESSAGE | {"timestamp": "yesterday"},
        MESSAGE | {"sender": None},
        MESSAGE | {"chat_id": 7},
        MESSAGE | {"message_id": "a\0b"},
        {"AccountStatus": "OK"},
    ],
)
def test_what_cannot_be_read_is_refused_with_the_fields_name(message: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        _read(message)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        read_webhook(body)


def test_the_result_of_a_hosted_link_carries_our_name_for_it() -> None:
    body = b'{"status": "CREATION_SUCCESS", "account_id": "acc-1", "name": "token"}'

    assert read_result(body) == HostedResult(
        account_id="acc-1", status="CREATION_SUCCESS", name="token"
    )


def test_only_the_secret_itself_is_the_secret() -> None:
    assert is_secret("right", "right")
    assert not is_secret("wrong", "right")
    assert not is_secret(None, "right")
    assert not is_secret("größer", "right")
