"""What Gmail's refusals mean. The only place that looks at Gmail's words."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

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

_SECOND, _MINUTE, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
_QUOTA_ZONE = ZoneInfo("America/Los_Angeles")  # Google counts its days there
_RETRY_AFTER = re.compile(
    r"retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer with this status whose reason or text has these words (none: any) is `error`.

    A RateLimited waits until the time that Gmail names, otherwise for `wait`; None is until the
    day of Google's quotas ends.
    """

    status: int
    words: str
    error: type[ProviderError]
    message: str
    wait: timedelta | None = _MINUTE

    def matches(self, status: int, said: str) -> bool:
        return status == self.status and re.search(self.words, said, re.IGNORECASE) is not None


_SLOW = "Gmail asks this account to slow down."
_SENT_ENOUGH = "This mailbox has sent as many mails as Gmail allows in a day."
_SENDING_LIMIT = r"sending (limit|quota)|daily user sending|mail sending"
_RATE = r"rate.?limit|queries per|quota|too many"

# Sources: Gmail's guide "Resolve errors" and the limits page of Google Workspace. First match wins.
RULES: tuple[Rule, ...] = (
    Rule(400, r"invalid (\w+[ _])?id\b", Gone, "Gmail does not know this draft, mail or thread."),
    Rule(
        400,
        r"failed.?precondition|mail service not enabled|precondition check",
        AccountRefused,
        "Gmail is not available to this account: check its licence and that it is not suspended.",
    ),
    Rule(400, "", Refused, "Gmail did not accept this mail or its recipient."),
    Rule(401, "", AuthExpired, "Gmail no longer accepts our access: connect the account again."),
    Rule(403, _SENDING_LIMIT, RateLimited, _SENT_ENOUGH, _DAY),
    Rule(
        403,
        r"daily.?limit",
        RateLimited,
        "This installation has used up its daily quota of Gmail requests.",
        None,
    ),
    Rule(403, _RATE, RateLimited, _SLOW),
    Rule(
        403,
        r"insufficient|scope",
        AccountRefused,
        "The account did not grant what is needed: connect it again and tick every box.",
    ),
    Rule(
        403,
        r"domain.?policy",
        AccountRefused,
        "The administrator of this Google Workspace does not allow this application.",
    ),
    Rule(
        403,
        r"access.?not.?configured|service.?disabled|has not been used",
        AccountRefused,
        "The Gmail API is not enabled in the Google Cloud project of the OAuth client.",
    ),
    Rule(403, "", AccountRefused, "Gmail does not allow this account to do that."),
    Rule(404, "", Gone, "Gmail has no such draft, mail, thread or history any more."),
    Rule(410, "", Gone, "Gmail has no such draft, mail, thread or history any more."),
    Rule(413, "", Refused, "This mail is larger than Gmail accepts."),
    Rule(429, _SENDING_LIMIT, RateLimited, _SENT_ENOUGH, _DAY),
    Rule(429, r"concurrent", RateLimited, _SLOW, 10 * _SECOND),
    Rule(429, "", RateLimited, _SLOW),
)


def translate(status: int, content: bytes, *, may_have_acted: bool, now: datetime) -> ProviderError:
    """The error for an answer that is none of success.

    `may_have_acted`: the request would have changed the mailbox. `now` is the time on Gmail's
    clock, against which the time that it names is read.
    """
    said = _what_it_said(content)
    rule = next((rule for rule in RULES if rule.matches(status, said)), None)
    if rule is None or (rule.error is Refused and not may_have_acted):
        # A read that is turned down says nothing about the mail, so it cannot refuse it.
        return unanswered(f"Gmail could not answer ({status}).", may_have_acted=may_have_acted)
    if rule.error is RateLimited:
        wait = _named_wait(said, now) or rule.wait or _until_quota_midnight(now)
        return RateLimited(rule.message, retry_after=wait)
    return rule.error(rule.message)


def unanswered(message: str, *, may_have_acted: bool) -> Unavailable:
    return Ambiguous(message) if may_have_acted else Unavailable(message)


def _until_quota_midnight(now: datetime) -> timedelta:
    there = now.astimezone(_QUOTA_ZONE)
    next_day = (there + _DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    return next_day.astimezone(UTC) - now


def _named_wait(said: str, now: datetime) -> timedelta | None:
    named = _RETRY_AFTER.search(said)
    if named is None:
        return None
    at = datetime.fromisoformat(named.group(1))
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at - now, _SECOND), _DAY)


def _what_it_said(content: bytes) -> str:
    """Every reason and text of an error, in Google's two shapes or in none."""
    try:
        return " ".join(_strings(json.loads(content)))
    except ValueError:
        return content[:2000].decode("utf-8", "replace")


def _strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in _strings(item)]
        case list():
            return [text for item in value for text in _strings(item)]
        case _:
            return []
