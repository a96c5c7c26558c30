"""What Unipile's refusals mean, one line each. The bodies have the shape of its reference pages."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import (
    AccountRefused,
    Ambiguous,
    AuthExpired,
    ProviderError,
    RateLimited,
    Refused,
    Unavailable,
)
from shared.providers.linkedin import (
    AlreadyConnected,
    AlreadyInvited,
    InvitationsUsedUp,
    NoInMail,
    NoSuchMember,
    NotConnected,
    TooLong,
)
from shared.providers.unipile_errors import translate

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _error(
    status: int, kind: str, *, may_have_acted: bool = True, retry_after: str | None = None
) -> ProviderError:
    body = {"status": status, "type": f"errors/{kind}", "title": kind, "detail": "Ada Lovelace"}
    return translate(
        status,
        json.dumps(body).encode(),
        may_have_acted=may_have_acted,
        now=NOW,
        retry_after=retry_after,
    )


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        # done
        (422, "already_connected", AlreadyConnected),
        (422, "already_invited_recently", AlreadyInvited),
        # later
        (422, "cannot_resend_yet", InvitationsUsedUp),
        (422, "limit_exceeded", RateLimited),
        (422, "connection_limit_reached", InvitationsUsedUp),
        (429, "too_many_requests", RateLimited),
        # the account needs attention
        (401, "disconnected_account", AuthExpired),
        (401, "expired_credentials", AuthExpired),
        (401, "invalid_credentials", AuthExpired),
        (401, "checkpoint_error", AuthExpired),
        (401, "multiple_sessions", AuthExpired),
        (401, "wrong_account", AuthExpired),
        (403, "account_restricted", AccountRefused),
        (401, "missing_credentials", AccountRefused),
        (403, "insufficient_permissions", AccountRefused),
        # refused
        (422, "invalid_recipient", NoSuchMember),
        (422, "user_unreachable", NoSuchMember),
        (422, "cannot_invite_attendee", NoSuchMember),
        (404, "resource_not_found", NoSuchMember),
        (422, "blocked_recipient", Refused),
        (400, "invalid_parameters", Refused),
        # another way
        (400, "too_many_characters", TooLong),
        (422, "no_connection_with_recipient", NotConnected),
        (422, "not_allowed_inmail", NoInMail),
        (422, "insufficient_credits", NoInMail),
        (403, "feature_not_subscribed", NoInMail),
        # look first
        (500, "provider_error", Ambiguous),
        (500, "unexpected_error", Ambiguous),
        (503, "service_unavailable", Ambiguous),
        (504, "request_timeout", Ambiguous),
        # not done
        (503, "no_client_session", Unavailable),
        (503, "network_down", Unavailable),
        (501, "missing_feature", Refused),
    ],
)
def test_a_refusal_is_known_by_its_type(
    status: int, kind: str, expected: type[ProviderError]
) -> None:
    error = _error(status, kind)

    assert type(error) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, AuthExpired),
        (403, AccountRefused),
        (404, NoSuchMember),
        (422, Refused),
        (429, RateLimited),
        (500, Ambiguous),
        (502, Ambiguous),
    ],
)
def test_an_unknown_type_says_as_much_as_its_status(
    status: int, expected: type[ProviderError]
) -> None:
    assert type(_error(status, "a_new_one")) is expected
    assert type(translate(status, b"<html>", may_have_acted=True, now=NOW, retry_after=None)) is (
        expected
    )


def test_what_only_reads_is_never_in_doubt() -> None:
    assert type(_error(500, "provider_error", may_have_acted=False)) is Unavailable


def test_a_limit_of_a_week_waits_a_week() -> None:
    assert _error(422, "connection_limit_reached").retry_after == timedelta(days=7)
    assert _error(422, "cannot_resend_yet").retry_after == timedelta(days=1)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("600", timedelta(minutes=10)),
        ("Fri, 20 Nov 2026 15:00:00 GMT", timedelta(hours=3)),
        ("0", timedelta(minutes=1)),
        ("soon", timedelta(days=1)),
    ],
)
def test_a_limit_waits_as_long_as_it_is_told_to(header: str, wait: timedelta) -> None:
    assert _error(429, "too_many_requests", retry_after=header).retry_after == wait


def test_no_message_repeats_what_unipile_has_written() -> None:
    assert "Ada" not in str(_error(422, "invalid_recipient"))
