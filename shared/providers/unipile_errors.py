"""What Unipile's refusals mean. The only place that looks at its error types.

Sources: the error lists of the reference pages at developer.unipile.com (v1), and its page on
provider limits. Errors are problems (RFC 9457) whose `type` says what happened.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

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

_MINUTE, _DAY, _WEEK = timedelta(minutes=1), timedelta(days=1), timedelta(days=7)
_LONGEST_WAIT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Rule:
    """What one type of error is to us. `wait`: how long, for what is over by itself."""

    error: type[ProviderError]
    message: str
    wait: timedelta = _DAY


_RECONNECT = "connect the account again"
_KEY = "set DRUMBEAT_UNIPILE_API_KEY to a key that may do this, then resume the account"

# Doubtful are those at which Unipile or LinkedIn may have acted before it failed.
DOUBTFUL = "LinkedIn failed in the middle: whether it was done is looked up."
RULES: Mapping[str, Rule] = {
    # Done: what was wanted is so already.
    "already_connected": Rule(AlreadyConnected, "They are connected already."),
    "already_invited_recently": Rule(AlreadyInvited, "They were invited already."),
    # Later: limits of LinkedIn, over by themselves.
    "cannot_resend_yet": Rule(
        InvitationsUsedUp, "LinkedIn lets this account invite nobody for a day."
    ),
    "cannot_resend_within_24hrs": Rule(
        InvitationsUsedUp, "LinkedIn lets this account invite nobody for a day."
    ),
    "limit_exceeded": Rule(RateLimited, "This account has done as much as LinkedIn allows a day."),
    "connection_limit_reached": Rule(
        InvitationsUsedUp, "This account has invited as many as LinkedIn allows a week.", _WEEK
    ),
    "too_many_requests": Rule(RateLimited, "LinkedIn asks this account to slow down for a day."),
    # The account needs attention.
    "disconnected_account": Rule(AuthExpired, f"LinkedIn has ended the session: {_RECONNECT}."),
    "disconnected_feature": Rule(AuthExpired, f"LinkedIn's messages are off: {_RECONNECT}."),
    "expired_credentials": Rule(AuthExpired, f"The login has expired: {_RECONNECT}."),
    "invalid_credentials": Rule(AuthExpired, f"LinkedIn does not take the login: {_RECONNECT}."),
    "invalid_checkpoint_solution": Rule(
        AuthExpired, f"LinkedIn wants to be sure who it is: {_RECONNECT}."
    ),
    "checkpoint_error": Rule(AuthExpired, f"LinkedIn wants to be sure who it is: {_RECONNECT}."),
    "unknown_authentication_context": Rule(
        AuthExpired, f"LinkedIn asks for another step at its login: {_RECONNECT}."
    ),
    "action_required": Rule(AuthExpired, "LinkedIn asks for something: log in there, then resume."),
    "session_mismatch": Rule(AuthExpired, f"The session is another person's: {_RECONNECT}."),
    "multiple_sessions": Rule(
        AuthExpired, f"LinkedIn allows one session and has another one: {_RECONNECT}."
    ),
    "wrong_account": Rule(AuthExpired, f"The login is of another member: {_RECONNECT}."),
    "account_mismatch": Rule(AuthExpired, f"The login is of another member: {_RECONNECT}."),
    "invalid_account": Rule(AuthExpired, f"Unipile does not know this account: {_RECONNECT}."),
    "invalid_proxy_credentials": Rule(
        AuthExpired, f"The proxy of the account's session fails: {_RECONNECT}."
    ),
    "account_restricted": Rule(
        AccountRefused, "LinkedIn has restricted this account: log in there and see why."
    ),
    "feature_not_subscribed": Rule(
        NoInMail, "The account's LinkedIn subscription does not include this."
    ),
    "subscription_required": Rule(
        NoInMail, "The account's LinkedIn subscription does not include this."
    ),
    "missing_credentials": Rule(AccountRefused, f"Unipile does not accept our API key: {_KEY}."),
    "insufficient_privileges": Rule(AccountRefused, f"Our API key may not do this: {_KEY}."),
    "insufficient_permissions": Rule(AccountRefused, f"Our API key may not do this: {_KEY}."),
    "resource_access_restricted": Rule(AccountRefused, f"Our API key may not do this: {_KEY}."),
    # Refused: this person, or these words, never.
    "invalid_recipient": Rule(NoSuchMember, "LinkedIn knows no such member."),
    "user_unreachable": Rule(NoSuchMember, "LinkedIn lets nobody reach this member."),
    "cannot_invite_attendee": Rule(NoSuchMember, "This member cannot be invited."),
    "resource_not_found": Rule(NoSuchMember, "LinkedIn knows no such member or chat."),
    "invalid_resource_identifier": Rule(NoSuchMember, "LinkedIn knows no such member or chat."),
    "blocked_recipient": Rule(Refused, "This member has blocked the account."),
    "invalid_message": Rule(Refused, "LinkedIn does not take this text."),
    "unprocessable_entity": Rule(Refused, "LinkedIn does not take this."),
    "invalid_parameters": Rule(Refused, "LinkedIn does not take this."),
    "malformed_request": Rule(Refused, "LinkedIn does not take this."),
    "content_too_large": Rule(Refused, "LinkedIn does not take a text of this length."),
    "too_many_characters": Rule(TooLong, "The account may not write as many characters."),
    # Another way may be open.
    "no_connection_with_recipient": Rule(NotConnected, "They are not connected."),
    "not_allowed_inmail": Rule(NoInMail, "The account may send this member no InMail."),
    "insufficient_credits": Rule(NoInMail, "The account has no InMail credits left."),
    # Not done: the request did not reach LinkedIn.
    "no_client_session": Rule(Unavailable, "Unipile has no session of this account just now."),
    "no_channel": Rule(Unavailable, "Unipile has no session of this account just now."),
    "no_handler": Rule(Unavailable, "Unipile has no session of this account just now."),
    "network_down": Rule(Unavailable, "Unipile cannot reach LinkedIn just now."),
    "proxy_error": Rule(Unavailable, "Unipile cannot reach LinkedIn just now."),
    "missing_feature": Rule(Refused, "Unipile cannot do this with LinkedIn."),
    # Look first.
    "unexpected_error": Rule(Ambiguous, DOUBTFUL),
    "provider_error": Rule(Ambiguous, DOUBTFUL),
    "provider_unreachable": Rule(Ambiguous, DOUBTFUL),
    "service_unavailable": Rule(Ambiguous, DOUBTFUL),
    "request_timeout": Rule(Ambiguous, DOUBTFUL),
}
_BY_STATUS = {
    401: RULES["disconnected_account"],
    403: RULES["insufficient_permissions"],
    404: RULES["resource_not_found"],
    429: RULES["too_many_requests"],
}
_REFUSED = Rule(Refused, "LinkedIn does not accept this.")
_LOST = Rule(Ambiguous, DOUBTFUL)


def translate(
    status: int, content: bytes, *, may_have_acted: bool, now: datetime, retry_after: str | None
) -> ProviderError:
    """The error for an answer that is none of success.

    `may_have_acted`: the request was to change something. `retry_after`: that header.
    """
    rule = _rule_of(status, _type_of(content))
    if rule.error is Ambiguous and not may_have_acted:
        return Unavailable("LinkedIn did not answer.")
    if issubclass(rule.error, RateLimited):
        wait = _asked_for(retry_after, now) or rule.wait
        return rule.error(rule.message, retry_after=wait)
    return rule.error(rule.message)


def unanswered(*, may_have_acted: bool) -> ProviderError:
    """The error for a request whose answer never came."""
    if may_have_acted:
        return Ambiguous("The connection to Unipile was lost before its answer came.")
    return Unavailable("Unipile could not be reached.")


def _rule_of(status: int, kind: str) -> Rule:
    """An unknown type says as much as its status."""
    if kind in RULES:
        return RULES[kind]
    if status >= 500:
        return _LOST
    return _BY_STATUS.get(status, _REFUSED)


def _type_of(content: bytes) -> str:
    try:
        problem: Any = json.loads(content)
    except ValueError:
        return ""
    kind = problem.get("type") if isinstance(problem, dict) else None
    return kind.rpartition("/")[2] if isinstance(kind, str) else ""


def _asked_for(header: str | None, now: datetime) -> timedelta | None:
    """Retry-After as seconds or a date (RFC 9110 section 10.2.3), if it is any sensible."""
    if header is None:
        return None
    try:
        wait = (
            timedelta(seconds=int(header))
            if header.strip().isdigit()
            else parsedate_to_datetime(header).astimezone(UTC) - now
        )
    except (ValueError, OverflowError):
        return None
    return max(_MINUTE, min(wait, _LONGEST_WAIT))
