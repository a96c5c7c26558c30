"""What Gmail's refusals mean, one line each. The bodies have the shape of Google's error guide."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import (
    AccountRefused,
    Ambiguous,
    AuthExpired,
    Gone,
    ProviderError,
    RateLimited,
    Refused,
    Unavailable,
)
from shared.providers.gmail_errors import RULES, translate

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LEAD = "lea@lead.example"


def _body(status: int, message: str, reason: str) -> bytes:
    detail = {"message": message, "domain": "usageLimits", "reason": reason}
    return json.dumps(
        {"error": {"code": status, "message": message, "errors": [detail], "status": "X"}}
    ).encode()


def _error(status: int, content: bytes, *, may_have_acted: bool = True) -> ProviderError:
    return translate(status, content, may_have_acted=may_have_acted, now=NOW)


@pytest.mark.parametrize(
    ("status", "message", "reason", "expected"),
    [
        (400, "Recipient address required", "invalidArgument", Refused),
        (400, f"Invalid To header {LEAD}", "invalidArgument", Refused),
        (400, "Invalid id value", "invalidArgument", Gone),
        (400, "Invalid thread_id value", "invalidArgument", Gone),
        (400, "Mail service not enabled", "failedPrecondition", AccountRefused),
        (400, "Precondition check failed.", "failedPrecondition", AccountRefused),
        (401, "Invalid Credentials", "authError", AuthExpired),
        (403, "Insufficient Permission", "insufficientPermissions", AccountRefused),
        (403, "Scopes missing", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", AccountRefused),
        (403, "The domain administrators have disabled it", "domainPolicy", AccountRefused),
        (403, "Access Not Configured.", "accessNotConfigured", AccountRefused),
        (403, "Delegation denied", "forbidden", AccountRefused),
        (404, "Requested entity was not found.", "notFound", Gone),
        (410, "Resource has been deleted", "deleted", Gone),
        (413, "Request payload size exceeds the limit", "uploadTooLarge", Refused),
    ],
)
def test_a_refusal_is_known_by_status_and_words(
    status: int, message: str, reason: str, expected: type[ProviderError]
) -> None:
    error = _error(status, _body(status, message, reason))

    assert type(error) is expected
    assert LEAD not in str(error)


@pytest.mark.parametrize(
    ("status", "message", "reason", "wait"),
    [
        pytest.param(
            429,
            "User-rate limit exceeded.  Retry after 2026-11-20T12:07:30.000Z",
            "rateLimitExceeded",
            timedelta(minutes=7, seconds=30),
            id="the time that Gmail names",
        ),
        pytest.param(
            429,
            "User-rate limit exceeded.  Retry after 2026-11-20T14:00:00.000Z (Mail sending)",
            "rateLimitExceeded",
            timedelta(hours=2),
            id="the time that Gmail names beats the day of a sending limit",
        ),
        pytest.param(
            429,
            "Retry after 2026-11-20T11:00:00",
            "rateLimitExceeded",
            timedelta(seconds=1),
            id="a time gone by is soon",
        ),
        pytest.param(
            429,
            "Retry after 2027-01-01T00:00:00Z",
            "rateLimitExceeded",
            timedelta(days=1),
            id="never longer than a day",
        ),
        pytest.param(
            429,
            "Too many concurrent requests for user",
            "rateLimitExceeded",
            timedelta(seconds=10),
            id="too many at once",
        ),
        pytest.param(
            429,
            "Daily user sending limit exceeded",
            "rateLimitExceeded",
            timedelta(days=1),
            id="the daily sending limit",
        ),
        pytest.param(
            403,
            "Daily user sending limit exceeded",
            "quotaExceeded",
            timedelta(days=1),
            id="the daily sending limit as 403",
        ),
        pytest.param(
            429, "Slow down", "rateLimitExceeded", timedelta(minutes=1), id="no time named"
        ),
        pytest.param(
            403,
            "User Rate Limit Exceeded",
            "userRateLimitExceeded",
            timedelta(minutes=1),
            id="a user's rate as 403",
        ),
        pytest.param(
            403,
            "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'",
            "rateLimitExceeded",
            timedelta(minutes=1),
            id="units per minute as 403",
        ),
        pytest.param(
            403,
            "Daily Limit Exceeded",
            "dailyLimitExceeded",
            timedelta(hours=20),
            id="the project's day ends at midnight in California",
        ),
    ],
)
def test_too_fast_waits_as_long_as_gmail_asks(
    status: int, message: str, reason: str, wait: timedelta
) -> None:
    error = _error(status, _body(status, message, reason))

    assert isinstance(error, RateLimited)
    assert error.retry_after == wait


def test_a_rate_error_of_another_shape_is_one_too() -> None:
    error = _error(403, b'{"message":"API rate limit exceeded"}')

    assert isinstance(error, RateLimited)


@pytest.mark.parametrize("status", [302, 408, 500, 502, 503, 504])
def test_a_failure_while_acting_is_ambiguous_and_while_reading_is_not(status: int) -> None:
    acting = _error(status, b"<html>", may_have_acted=True)
    reading = _error(status, b"<html>", may_have_acted=False)

    assert type(acting) is Ambiguous
    assert type(reading) is Unavailable


def test_a_read_that_is_turned_down_refuses_no_mail() -> None:
    error = _error(400, _body(400, "Bad query", "invalidArgument"), may_have_acted=False)

    assert type(error) is Unavailable


def test_every_message_is_a_sentence_of_ours() -> None:
    assert all(rule.message.endswith(".") and len(rule.message) < 100 for rule in RULES)
