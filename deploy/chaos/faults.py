"""What can go wrong, and which of it goes wrong in which run: drawn from the seed, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    # On the wire to the mailbox.
    CONNECTION_REFUSED = "connection_refused"
    RESET_BEFORE_ACTING = "reset_before_acting"
    RESET_AFTER_ACTING = "reset_after_acting"
    TIMEOUT_AFTER_ACTING = "timeout_after_acting"
    ERROR_BEFORE_ACTING = "5xx_before_acting"
    ERROR_AFTER_ACTING = "5xx_after_acting"
    SHORT_RATE_LIMIT = "429_short"
    LONG_RATE_LIMIT = "429_long"
    TOKEN_EXPIRED = "401_once"  # noqa: S105 - an answer's name
    LOGGED_OUT = "401_for_good"
    DRAFT_ANSWER_LOST = "draft_answer_lost"
    SEND_ANSWER_LOST = "send_answer_lost"
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
    Fault.TOKEN_EXPIRED,
    Fault.LOGGED_OUT,
}
PROCESS = frozenset({Fault.KILLED, Fault.KILLED_COMMITTING, Fault.ZOMBIE, Fault.TWO_WORKERS}) | {
    Fault.BACKEND_TERMINATED
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

# Calls of one attempt; those on which everything hangs come up most.
OPERATIONS: Mapping[str, int] = {
    "drafts.create": 4,
    "drafts.send": 6,
    "drafts.delete": 2,
    "threads.get": 2,
    "messages.list": 2,
    "messages.get": 2,
    "history.list": 1,
    "getProfile": 1,
}
FIXED_OPERATIONS = {
    Fault.DRAFT_ANSWER_LOST: "drafts.create",
    Fault.SEND_ANSWER_LOST: "drafts.send",
    Fault.DRAFT_DELETED: "drafts.send",
    Fault.REPLIED_WHILE_SENDING: "drafts.send",
}
# An attempt that meets nothing unusual waits this often for something outside itself.
USUAL_SUSPENSIONS = 30
USUAL_COMMITS = 3
MOST_STEPS = 3
# The runs in processes, and at which of them a server is killed too.
ONE_IN = 20
ROUND_OF_SERVERS = 50
SERVER_KILLS = {3: Fault.TEMPORAL_KILLED, 7: Fault.POSTGRES_KILLED}
SUSPENSIONS_IN_A_PROCESS = 50
WHILE_SENDING = (Fault.SEND_ANSWER_LOST, Fault.REPLIED_WHILE_SENDING, Fault.REPORTED_TWICE)
# What can be done to lives inside this process.
KINDS = tuple(fault for fault in Fault if fault not in REAL)


@dataclass(slots=True, kw_only=True)
class Injection:
    """One fault and its moment: at the `attempt`-th attempt of a run or the next that offers it.

    `operation` and `is_after` name a moment on the wire; `suspension` one at which the attempt
    waits, for deeds of people too when there is no operation.
    """

    fault: Fault
    attempt: int
    suspension: int
    operation: str | None = None
    is_after: bool = False
    has_happened: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run: a recipient's life in a campaign of `steps` mails, and what befalls it."""

    run: int
    steps: int
    injections: tuple[Injection, ...]


def draw_plan(seed: int, run: int) -> Plan:
    """The first fault goes round all kinds, so that few runs are enough to see each of them."""
    random = Random(f"{seed}/{run}")  # noqa: S311 - repeatable is what it has to be
    steps = random.randint(1, MOST_STEPS)
    more = random.choices((0, 1, 2, 3, 4), (2, 4, 4, 2, 1))[0]
    kinds = [KINDS[run % len(KINDS)], *random.choices(KINDS, k=more)]
    injections = [_draw(random, fault, steps) for fault in kinds]
    return Plan(run=run, steps=steps, injections=tuple(injections))


def is_in_processes(run: int) -> bool:
    """Whether this run is lived in processes that are killed for real: one in twenty is."""
    return run % ONE_IN == ONE_IN - 1


def draw_process_plan(seed: int, run: int) -> Plan:
    """A worker is killed once or more, and a server or an answer beside it now and then."""
    random = Random(f"{seed}/{run}/processes")  # noqa: S311 - repeatable is what it has to be
    steps = random.randint(1, MOST_STEPS)
    kills = random.choices((1, 2, 3), (6, 3, 1))[0]
    injections = [
        Injection(
            fault=Fault.WORKER_KILLED,
            attempt=random.randint(1, steps),
            suspension=random.randint(1, SUSPENSIONS_IN_A_PROCESS),
        )
        for _ in range(kills)
    ]
    server = SERVER_KILLS.get(run // ONE_IN % ROUND_OF_SERVERS)
    if server or random.random() < 0.4:
        fault = server or random.choice(WHILE_SENDING)
        is_after = fault is Fault.SEND_ANSWER_LOST or random.random() < 0.5
        at_sending = Injection(
            fault=fault,
            attempt=1 if server else random.randint(1, steps),
            suspension=1,
            operation="drafts.send",
            is_after=is_after,
        )
        injections.append(at_sending)
    return Plan(run=run, steps=steps, injections=tuple(injections))


def _draw(random: Random, fault: Fault, steps: int) -> Injection:
    operation = FIXED_OPERATIONS.get(fault)
    is_on_wire = fault in WIRE or (fault in DEEDS and random.random() < 0.6)
    if operation is None and is_on_wire:
        operation = random.choices(tuple(OPERATIONS), tuple(OPERATIONS.values()))[0]
    is_after = fault in AFTER_ACTING or (fault in DEEDS and random.random() < 0.5)
    most = USUAL_COMMITS if fault is Fault.KILLED_COMMITTING else USUAL_SUSPENSIONS
    return Injection(
        fault=fault,
        attempt=random.randint(1, steps),
        suspension=random.randint(1, most),
        operation=operation,
        is_after=is_after and fault is not Fault.DRAFT_DELETED,
    )
