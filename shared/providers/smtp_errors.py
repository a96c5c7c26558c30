"""What a mail server's refusals mean. The only place that looks at its words.

Sources: RFC 5321 section 4.2 for the codes, RFC 3463 and RFC 4954 for the enhanced ones, and the
help pages of Google and Microsoft for their limits.
"""

import re
import ssl
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import aiosmtplib

from shared.errors import (
    AccountRefused,
    AuthExpired,
    ProviderError,
    RateLimited,
    Refused,
    Unavailable,
)


class Stage(StrEnum):
    """How far a conversation had come when the server said no."""

    GREETING = "greeting"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


_BEFORE_MAIL = frozenset({Stage.GREETING, Stage.LOGIN})
_ABOUT_MAIL = frozenset({Stage.RECIPIENT, Stage.CONTENT})
_ANY = frozenset(Stage)
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer whose code and words look like this, at one of these stages, is `error`."""

    codes: str
    words: str
    stages: frozenset[Stage]
    error: type[ProviderError]
    message: str
    wait: timedelta = _MINUTE

    def matches(self, code: int, said: str, stage: Stage) -> bool:
        return (
            stage in self.stages
            and re.fullmatch(self.codes, str(code)) is not None
            and re.search(self.words, said, re.IGNORECASE) is not None
        )


_ENOUGH = "This mailbox has sent as many mails as its provider allows for now."
_PASSWORD = "The mail server does not accept this password: connect the account again."  # noqa: S105 - a message
_BLOCKED = "The mail server has blocked this account: log in at the provider and see why."
_POLICY = "The mail server takes this account's mails for unwanted ones."

# First match wins.
RULES: tuple[Rule, ...] = (
    Rule(
        r"[45]\d\d",
        r"(daily|hourly) .*(limit|quota)|sending (limit|quota)|submissionquota|5\.4\.5\b"
        r"|5\.1\.90\b|per day|message limit|too many (messages|mails|recipients) .*(day|hour)",
        _ANY,
        RateLimited,
        _ENOUGH,
        _DAY,
    ),
    Rule(
        r"4\d\d",
        r"\brate\b|too many|throttl|concurrent|slow down|gr[ae]y.?list|4\.7\.0 .*try again",
        _ANY,
        RateLimited,
        "The mail server asks us to slow down.",
    ),
    Rule(r"454|4\d\d", "", _ANY, Unavailable, "The mail server cannot take a mail now."),
    Rule(
        r"53[045]|5\d\d",
        r"application.specific|app(lication)? password|5\.7\.9\b",
        frozenset({Stage.LOGIN}),
        AuthExpired,
        "This mailbox needs an app password: make one at the provider and connect it again.",
    ),
    Rule(
        r"5\d\d",
        r"suspend|locked|account (is |has been )?(disabled|blocked)|5\.7\.139\b|smtpclientauth",
        _ANY,
        AccountRefused,
        _BLOCKED,
    ),
    Rule(r"53[0458]", "", _ANY, AuthExpired, _PASSWORD),
    Rule(r"5\d\d", "", frozenset({Stage.LOGIN}), AuthExpired, _PASSWORD),
    Rule(
        r"5\d\d",
        r"authenticat(e|ion) (is )?required|not authenticated|5\.7\.57\b",
        _ANY,
        AuthExpired,
        _PASSWORD,
    ),
    Rule(
        r"5\d\d",
        r"sendasdenied|5\.7\.60\b|sender .*(reject|denied|not allowed|not owned)|not owned by user",
        _ANY,
        AccountRefused,
        "The mail server does not let this account send from this address.",
    ),
    Rule(
        r"5\d\d",
        r"relay",
        _ABOUT_MAIL,
        AccountRefused,
        "The mail server does not carry this account's mails to other servers.",
    ),
    Rule(
        r"5\d\d",
        "",
        frozenset({Stage.SENDER}),
        AccountRefused,
        "The mail server does not let this account send.",
    ),
    Rule(
        r"5\d\d",
        r"5\.1\.[0-9]+\b|user unknown|no such|does not exist|not found|mailbox unavailable",
        _ABOUT_MAIL,
        Refused,
        "The mail server says that there is no such address.",
    ),
    Rule(
        r"552|5\d\d",
        r"5\.3\.4\b|size|too (large|big)",
        _ABOUT_MAIL,
        Refused,
        "This mail is larger than the mail server takes.",
    ),
    Rule(
        r"5\d\d",
        r"5\.7\.\d|policy|spam|unsolicited|black.?list|block.?list|reputation|blocked",
        _ABOUT_MAIL,
        AccountRefused,
        _POLICY,
    ),
    Rule(
        r"5\d\d",
        "",
        _ABOUT_MAIL,
        Refused,
        "The mail server did not accept this mail or its recipient.",
    ),
    Rule(
        r"5\d\d",
        "",
        _BEFORE_MAIL,
        AccountRefused,
        "The mail server does not talk to us: check its host, port and security.",
    ),
)


def translate(code: int, said: str, stage: Stage) -> ProviderError:
    """The error for an answer that is none of success: the mail was not taken."""
    rule = next((rule for rule in RULES if rule.matches(code, said, stage)), None)
    if rule is None:
        return Unavailable(f"The mail server gave an answer that we do not know ({code}).")
    if rule.error is RateLimited:
        return RateLimited(rule.message, retry_after=rule.wait)
    return rule.error(rule.message)


def translate_failure(error: Exception, stage: Stage) -> ProviderError:
    """The error for what went wrong on the way there, while nothing can have been sent."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return translate_failure(error.recipients[0], stage)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return translate(error.code, error.message, stage)
    if isinstance(error, UnicodeError) and stage is Stage.LOGIN:
        return AuthExpired(_PASSWORD)
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return AccountRefused(
            "The mail server shows a certificate that is not its own: check the host's name."
        )
    if isinstance(cause, ssl.SSLError):
        return AccountRefused("The mail server speaks no TLS there: check port and security.")
    if isinstance(error, aiosmtplib.SMTPNotSupported) or "STARTTLS" in str(error):
        return AccountRefused(
            "The mail server offers no login, or no STARTTLS: check port and security."
        )
    return Unavailable("The mail server could not be reached.")
