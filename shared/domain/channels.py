"""The ways to reach a lead, and the kinds of accounts that can."""

from enum import StrEnum


class Channel(StrEnum):
    EMAIL = "email"
    LINKEDIN_CONNECTION = "linkedin_connection"
    LINKEDIN_MESSAGE = "linkedin_message"
    CALL = "call"
    TASK = "task"


class AccountKind(StrEnum):
    GMAIL = "gmail"
    SMTP = "smtp"
    LINKEDIN = "linkedin"
    BLAND = "bland"


MAIL_KINDS = frozenset({AccountKind.GMAIL, AccountKind.SMTP})
# Which accounts serve a channel; a task needs none.
KINDS_OF = {
    Channel.EMAIL: MAIL_KINDS,
    Channel.LINKEDIN_CONNECTION: frozenset({AccountKind.LINKEDIN}),
    Channel.LINKEDIN_MESSAGE: frozenset({AccountKind.LINKEDIN}),
    Channel.CALL: frozenset({AccountKind.BLAND}),
    Channel.TASK: frozenset[AccountKind](),
}
# A person does it where no account is connected.
BY_HAND_WITHOUT_ACCOUNT = frozenset({Channel.LINKEDIN_CONNECTION, Channel.LINKEDIN_MESSAGE})
