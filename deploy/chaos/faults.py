"""What can go wrong, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from shared.domain.channels import Channel


class Fault(StrEnum):
    # On the wire to a provider.
    CONNECTION_REFUSED = "connection_refused"
    RESET_BEFORE_ACTING = "reset_before_acting"
    RESET_AFTER_ACTING = "reset_after_acting"
    TIMEOUT_AFTER_ACTING = "timeout_after_acting"
    ERROR_BEFORE_ACTING = "5xx_before_acting"
    ERROR_AFTER_ACTING = "5xx_after_acting"
    SHORT_RATE_LIMIT = "429_short"
    LONG_RATE_LIMIT = "429_long"
    REFUSED_FOR_NOW = "4xx_refusal"
    REFUSED_FOR_GOOD = "5xx_refusal"
    TOKEN_EXPIRED = "401_once"  # noqa: S105 - an answer's name
    LOGGED_OUT = "401_for_good"
    DRAFT_ANSWER_LOST = "draft_answer_lost"
    SEND_ANSWER_LOST = "send_answer_lost"
    # What providers tell by themselves.
    NEWS_LATE = "webhook_late"
    NEWS_TWICE = "webhook_twice"
    NEWS_SHUFFLED = "webhook_out_of_order"
    NEWS_LOST = "webhook_never"
    # To our own processes.
    KILLED = "process_killed"
    KILLED_COMMITTING = "process_killed_committing"
    ZOMBIE = "zombie_attempt"
    TWO_WORKERS = "two_workers"
    BACKEND_TERMINATED = "backend_terminated"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BEHIND = "clock_behind"
    # To whole processes of a small installation, which are killed for real.
    WORKER_KILLED = "worker_sigkilled"
    TEMPORAL_KILLED = "temporal_sigkilled"
    POSTGRES_KILLED = "postgres_sigkilled"
    # What people do meanwhile.
    REPLIED = "replied"
    REPLIED_WHILE_SENDING = "replied_while_sending"
    REPORTED_TWICE = "reply_reported_twice"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    REPLIED_IN_MAILBOX = "replied_in_mailbox"
    PAUSED = "paused"
    EDITED = "edited"
    STEP_REMOVED = "step_removed"
    DRAFT_DELETED = "draft_deleted_by_hand"
    ERASED = "lead_erased"


class Place(StrEnum):
    """Whose wire a fault is on."""

    GMAIL = "gmail"
    SMTP = "smtp"
    LINKEDIN = "linkedin"
    BLAND = "bland"


MAIL_PLACES = (Place.GMAIL, Place.SMTP)
PLACES_OF = {
    Channel.LINKEDIN_CONNECTION: Place.LINKEDIN,
    Channel.LINKEDIN_MESSAGE: Place.LINKEDIN,
    Channel.CALL: Place.BLAND,
}

AFTER_ACTING = frozenset(
    {
        Fault.RESET_AFTER_ACTING,
        Fault.TIMEOUT_AFTER_ACTING,
        Fault.ERROR_AFTER_ACTING,
        Fault.DRAFT_ANSWER_LOST,
        Fault.SEND_ANSWER_LOST,
    }
)
WIRE = AFTER_ACTING | {
    Fault.CONNECTION_REFUSED,
    Fault.RESET_BEFORE_ACTING,
    Fault.ERROR_BEFORE_ACTING,
    Fault.SHORT_RATE_LIMIT,
    Fault.LONG_RATE_LIMIT,
    Fault.REFUSED_FOR_NOW,
    Fault.REFUSED_FOR_GOOD,
    Fault.TOKEN_EXPIRED,
    Fault.LOGGED_OUT,
}
NEWS = frozenset({Fault.NEWS_LATE, Fault.NEWS_TWICE, Fault.NEWS_SHUFFLED, Fault.NEWS_LOST})
PROCESS = frozenset({Fault.KILLED, Fault.KILLED_COMMITTING, Fault.ZOMBIE, Fault.TWO_WORKERS}) | {
    Fault.BACKEND_TERMINATED
}
# What can hide from an attempt whether the mail server has taken the mail.
BLINDING = PROCESS | {
    Fault.RESET_BEFORE_ACTING,
    Fault.RESET_AFTER_ACTING,
    Fault.TIMEOUT_AFTER_ACTING,
}
CLOCKS = frozenset({Fault.CLOCK_AHEAD, Fault.CLOCK_BEHIND})
REAL = frozenset({Fault.WORKER_KILLED, Fault.TEMPORAL_KILLED, Fault.POSTGRES_KILLED})
REPORTS = frozenset({Fault.REPLIED, Fault.REPLIED_WHILE_SENDING, Fault.REPORTED_TWICE})
STOPS = REPORTS | {Fault.UNSUBSCRIBED, Fault.BOUNCED}
DEEDS = STOPS | {
    Fault.REPLIED_IN_MAILBOX,
    Fault.PAUSED,
    Fault.EDITED,
    Fault.STEP_REMOVED,
    Fault.DRAFT_DELETED,
    Fault.ERASED,
}

Weights = Mapping[str, int]
# The calls of one attempt; those on which everything hangs come up most.
OPERATIONS: Mapping[Place, Weights] = {
    Place.GMAIL: {
        "drafts.create": 4,
        "drafts.send": 6,
        "drafts.delete": 2,
        "threads.get": 2,
        "messages.list": 2,
        "messages.get": 2,
        "history.list": 1,
        "getProfile": 1,
    },
    Place.SMTP: {"smtp.login": 1, "smtp.rcpt": 2, "smtp.data": 4, "smtp.dot": 5, "imap.login": 1},
    Place.LINKEDIN: {
        "linkedin.sendInvitation": 6,
        "linkedin.sendMessage": 4,
        "linkedin.startNewChat": 5,
        "linkedin.getProfile": 3,
        "linkedin.listSentInvitations": 1,
        "linkedin.listChatsWith": 1,
        "linkedin.listMessagesOfChat": 1,
        "linkedin.listMessages": 1,
    },
    Place.BLAND: {"bland.sendCall": 6, "bland.listCalls": 2, "bland.callDetails": 3},
}
# Where each fault of a wire can strike there, if that is not everywhere.
_GMAIL_FAULTS = WIRE - {Fault.REFUSED_FOR_NOW, Fault.REFUSED_FOR_GOOD}
_API_FAULTS = _GMAIL_FAULTS - {Fault.DRAFT_ANSWER_LOST, Fault.SEND_ANSWER_LOST, Fault.TOKEN_EXPIRED}


def _api_faults(place: Place) -> dict[Fault, Weights]:
    """Those of any API on the web, and what can become of what it tells by itself."""
    on_wire = dict.fromkeys(sorted(_API_FAULTS), OPERATIONS[place])
    nowhere: Weights = {}
    return on_wire | dict.fromkeys(sorted(NEWS), nowhere)


STRIKES: Mapping[Place, Mapping[Fault, Weights]] = {
    Place.GMAIL: dict.fromkeys(sorted(_GMAIL_FAULTS), OPERATIONS[Place.GMAIL])
    | {
        Fault.DRAFT_ANSWER_LOST: {"drafts.create": 1},
        Fault.SEND_ANSWER_LOST: {"drafts.send": 1},
        Fault.DRAFT_DELETED: {"drafts.send": 1},
    },
    Place.SMTP: {
        Fault.CONNECTION_REFUSED: {"smtp.connect": 3, "imap.connect": 1},
        Fault.RESET_BEFORE_ACTING: OPERATIONS[Place.SMTP],
        Fault.RESET_AFTER_ACTING: {"smtp.data": 1, "smtp.dot": 2},
        Fault.TIMEOUT_AFTER_ACTING: {"smtp.dot": 1},
        Fault.REFUSED_FOR_NOW: OPERATIONS[Place.SMTP],
        Fault.REFUSED_FOR_GOOD: {"smtp.rcpt": 1, "smtp.dot": 1},
        Fault.SHORT_RATE_LIMIT: {"smtp.rcpt": 1, "smtp.dot": 1, "imap.login": 1},
        Fault.LONG_RATE_LIMIT: {"smtp.rcpt": 1, "smtp.dot": 1},
        Fault.LOGGED_OUT: {"smtp.login": 1, "imap.login": 1},
    },
    **{place: _api_faults(place) for place in (Place.LINKEDIN, Place.BLAND)},
}
# Where a person can only do it at one moment.
SENDING: Mapping[Place, Weights] = {
    Place.GMAIL: {"drafts.send": 1},
    Place.SMTP: {"smtp.data": 1, "smtp.dot": 1},
    Place.LINKEDIN: {"linkedin.sendInvitation": 1, "linkedin.startNewChat": 1},
    Place.BLAND: {"bland.sendCall": 1},
}


@dataclass(slots=True, kw_only=True)
class Injection:
    """One fault and its moment: at the `attempt`-th attempt of a run or the next that offers it.

    `operation` and `is_after` name a moment on the wire; `suspension` one at which the attempt
    waits, for deeds of people too when there is no operation. `happened_at`: by the servers' clock.
    """

    fault: Fault
    attempt: int
    suspension: int
    operation: str | None = None
    is_after: bool = False
    place: Place | None = None
    happened_at: datetime | None = None

    @property
    def has_happened(self) -> bool:
        return self.happened_at is not None

    def strike(self, *, has_happened: bool = True) -> None:
        self.happened_at = datetime.now(UTC) if has_happened else None
