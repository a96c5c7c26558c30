"""What Bland's refusals mean. The only place that looks at Bland's words.

Source: Bland's documentation of POST /v1/calls, 2026-08-09. A 429 can be three different things,
and nothing but its message tells them apart.
"""

import json
import re
from dataclasses import dataclass
from datetime import timedelta

import httpx

from shared.errors import (
    AccountRefused,
    Ambiguous,
    AuthExpired,
    DoNotCall,
    Gone,
    Misdefined,
    ProviderError,
    RateLimited,
    Refused,
    Unavailable,
)

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
# Ten seconds between two calls to a number, as the message says, and a little more.
_SAME_NUMBER = timedelta(seconds=15)
_LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer with this status whose text has these words (none: any) is `error`.

    `is_quoted`: what Bland says stands behind our message, because it names the mistake.
    """

    status: int
    words: str
    error: type[ProviderError]
    message: str
    wait: timedelta = _MINUTE
    is_quoted: bool = False

    def matches(self, status: int, said: str) -> bool:
        return status == self.status and re.search(self.words, said, re.IGNORECASE) is not None


_NEVER = "Bland must not dial this number: it is on a do-not-call list or sensitive."
_MENDED = "Correct it, publish the step, and it goes on."

# First match wins.
RULES: tuple[Rule, ...] = (
    Rule(400, r"\bdnc\b|do.not.call|sensitive|being blocked|blacklist", DoNotCall, _NEVER),
    Rule(
        400,
        r"(phone|number).*(invalid|format|e\.?164|not valid)|invalid.*(phone|number)"
        r"|unable to queue",
        Refused,
        "Bland does not take this phone number.",
        is_quoted=True,
    ),
    Rule(400, "", Misdefined, f"Bland does not take the call. {_MENDED}", is_quoted=True),
    Rule(401, "", AuthExpired, "Bland does not accept the API key: enter a new one."),
    Rule(
        402,
        "",
        AccountRefused,
        "Bland has no balance left for this account: top it up at Bland, then resume the account.",
        is_quoted=True,
    ),
    Rule(
        403,
        "",
        AccountRefused,
        "Bland has stopped this account: ask Bland why, then resume the account.",
        is_quoted=True,
    ),
    Rule(404, "", Misdefined, f"Bland has no such pathway. {_MENDED}", is_quoted=True),
    Rule(418, "", Misdefined, f"Bland objects to what the call is for. {_MENDED}", is_quoted=True),
    Rule(422, "", Misdefined, f"Bland does not take the call. {_MENDED}", is_quoted=True),
    Rule(429, r"blacklist", DoNotCall, "Bland has blacklisted this number."),
    Rule(
        429,
        r"same number|every \d+ seconds",
        RateLimited,
        "Bland has just called this number.",
        _SAME_NUMBER,
    ),
    Rule(
        429,
        r"new account|international|daily|per day|limit (of|on) .*calls",
        RateLimited,
        "Bland lets this account call no more for now.",
        _DAY,
        is_quoted=True,
    ),
    Rule(429, "", RateLimited, "Bland asks this account to slow down."),
)
_READING_STOPS = frozenset({401, 402, 403})


def translate(status: int, content: bytes, *, acts: bool) -> ProviderError:
    """The error for an answer that is none of success.

    `acts`: a call may have been placed by it. Whatever Bland says behind a failure of its own, or
    in a way that we do not know, may then have been done all the same.
    """
    said = _said(content)
    if not acts and status not in _READING_STOPS:
        return _translate_reading(status)
    rule = next((rule for rule in RULES if rule.matches(status, said)), None)
    if rule is None:
        return _unknown(status, acts=acts)
    message = (
        f"{rule.message} ({said[:_LONGEST_QUOTE]})" if rule.is_quoted and said else rule.message
    )
    if rule.error is RateLimited:
        return RateLimited(message, retry_after=rule.wait)
    return rule.error(message)


def translate_failure(error: httpx.HTTPError, *, acts: bool) -> ProviderError:
    """The error for an exchange without an answer."""
    # Nothing was said yet; anything later may have been heard.
    never_left = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    if acts and not isinstance(error, never_left):
        return Ambiguous("Bland's answer was lost.")
    return Unavailable("Bland could not be reached.")


def _translate_reading(status: int) -> ProviderError:
    if status == httpx.codes.NOT_FOUND:
        return Gone("Bland has no such call.")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimited("Bland asks this account to slow down.", retry_after=_MINUTE)
    return Unavailable(f"Bland did not answer what was asked ({status}).")


def _unknown(status: int, *, acts: bool) -> ProviderError:
    has_refused = httpx.codes.is_client_error(status) and status != httpx.codes.REQUEST_TIMEOUT
    if acts and not has_refused and not httpx.codes.is_redirect(status):
        return Ambiguous(f"Bland failed while it placed the call ({status}).")
    if acts and has_refused:
        return Misdefined(f"Bland gave an answer that we do not know ({status}).")
    return Unavailable(f"Bland gave an answer that we do not know ({status}).")


def _said(content: bytes) -> str:
    """Status, message and errors of an answer, in one line. Numbers in it are a person's."""
    try:
        body = json.loads(content)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    status = body.get("status")
    parts = [status if status != "error" else None, body.get("message")]
    errors = body.get("errors")
    if isinstance(errors, list):
        parts += [it for it in errors if isinstance(it, str) and it not in str(parts)]
    line = " ".join(" ".join(str(it) for it in parts if it).split())
    return re.sub(r"\+?\d{7,}", "...", line)
