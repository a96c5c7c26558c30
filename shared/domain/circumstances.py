"""What a campaign's window, accounts and settings make of its steps: problems, with words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from shared.domain.branches import LeadIs, StepOutcome
from shared.domain.channels import BY_HAND_WITHOUT_ACCOUNT, KINDS_OF, AccountKind, Channel
from shared.domain.definition import Branch, Node, StepPlan, all_steps
from shared.domain.landing import weekday_of, why_closed_on, why_never_open
from shared.domain.linting import Problem, ProblemCode, Severity, Visit, walk
from shared.domain.windows import Window

_TRACKED = {StepOutcome.OPENED: "track_opens", StepOutcome.CLICKED: "track_clicks"}
_CONNECT = {
    Channel.EMAIL: "POST /api/accounts/gmail/connect or /api/accounts/smtp",
    Channel.CALL: "POST /api/accounts/bland",
    Channel.LINKEDIN_CONNECTION: "POST /api/accounts/linkedin/connect",
    Channel.LINKEDIN_MESSAGE: "POST /api/accounts/linkedin/connect",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What surrounds the steps. `window` None: any time is right. `accounts` None: not looked at.

    `tracked`: the settings of `track_opens` and `track_clicks` that are on; None: not looked at.
    `unreached`: for each zone where calls are never allowed within the window, how many leads.
    """

    today: date
    window: Window | None = None
    accounts: frozenset[AccountKind] | None = None
    tracked: frozenset[str] | None = None
    unreached: Mapping[str, int] = field(default_factory=dict)
    leads: int = 0


def find_problems_around(nodes: Sequence[Node], around: Circumstances) -> list[Problem]:
    problems: list[Problem] = []
    missing: dict[Channel, list[Visit]] = {}
    called: list[Visit] = []
    mails = {step.id for step in all_steps(nodes) if step.channel is Channel.EMAIL}
    for visit in walk(nodes):
        node = visit.node
        if isinstance(node, Branch):
            problems.extend(_untracked(visit, node, around.tracked, mails))
            continue
        problems.extend(_timing(visit, node, around))
        if _has_no_account(node, around.accounts):
            missing.setdefault(node.channel, []).append(visit)
        if node.channel is Channel.CALL and not node.is_by_hand:
            called.append(visit)
    problems += [_no_account(channel, visits) for channel, visits in missing.items()]
    return [*problems, *_no_calling_hours(called, around)]


def _timing(visit: Visit, step: StepPlan, around: Circumstances) -> Iterator[Problem]:
    day, window = step.delay.on_date, around.window
    place = (*visit.place, "on_date" if day else "wait")
    if day and day < around.today:
        text = f"Step {visit.number} waits for {day}, which has passed: it waits for nothing"
        yield _warning(ProblemCode.PAST_DATE, text, place, visit.number)
    if window is None:
        return
    if day and (why := why_closed_on(day, window)):
        text = (
            f"Step {visit.number} waits for {day}, a {weekday_of(day)}, which is {why}:"
            " it will be done at the next opening of the window"
        )
        yield _warning(ProblemCode.CLOSED_DAY, text, place, visit.number)
    is_behind = isinstance(visit.before, StepPlan)
    if is_behind and (reason := why_never_open(step.delay, window)):
        text = (
            f"The wait of step {visit.number} never ends within the sending hours ({reason}):"
            " it will always wait for the next opening"
        )
        yield _warning(ProblemCode.OUTSIDE_WINDOW, text, place, visit.number)


def _untracked(
    visit: Visit, branch: Branch, tracked: frozenset[str] | None, mails: set[UUID]
) -> Iterator[Problem]:
    condition = branch.condition
    if tracked is None or isinstance(condition, LeadIs) or condition.step_id not in mails:
        return
    setting = _TRACKED.get(condition.outcome)
    if setting and setting not in tracked:
        text = (
            f"Whether a mail was {condition.outcome} is not known without {setting}: nobody takes"
            f" the way `then`. Set {setting}, or ask for something else"
        )
        yield Problem(
            severity=Severity.ERROR,
            code=ProblemCode.NOT_TRACKED,
            text=text,
            place=(*visit.place, "if"),
        )


def _has_no_account(step: StepPlan, accounts: frozenset[AccountKind] | None) -> bool:
    kinds = KINDS_OF[step.channel]
    return accounts is not None and not step.is_by_hand and bool(kinds) and not kinds & accounts


def _no_account(channel: Channel, visits: Sequence[Visit]) -> Problem:
    numbers = _numbers(visits)
    first = visits[0]
    place = (*first.place, "channel")
    remedy = f"connect one with {_CONNECT[channel]}"
    if channel in BY_HAND_WITHOUT_ACCOUNT:
        text = f"{numbers} will be to-dos for people, because no LinkedIn account is connected"
        return _warning(ProblemCode.DONE_BY_HAND, f"{text}: {remedy}", place, first.number)
    return Problem(
        severity=Severity.ERROR,
        code=ProblemCode.NO_ACCOUNT,
        text=f"{numbers}: no account is connected for the channel {channel}: {remedy}",
        place=place,
        step_number=first.number,
    )


def _no_calling_hours(called: Sequence[Visit], around: Circumstances) -> Iterator[Problem]:
    if not called or not around.unreached:
        return
    number = sum(around.unreached.values())
    zones = ", ".join(sorted(around.unreached)[:3])
    who = f"{number} of {around.leads} leads" if around.leads else "anybody"
    text = (
        f"{_numbers(called)}: the window has no hour at which {who} may be called where they are"
        f" (such as in {zones}): widen the window"
    )
    is_all = number >= around.leads
    yield Problem(
        severity=Severity.ERROR if is_all else Severity.WARNING,
        code=ProblemCode.NO_CALLING_HOURS,
        text=text,
        place=("window",),
        step_number=called[0].number,
    )


def _numbers(visits: Sequence[Visit]) -> str:
    numbers = ", ".join(str(visit.number) for visit in visits)
    return f"Step {numbers}" if len(visits) == 1 else f"Steps {numbers}"


def _warning(code: ProblemCode, text: str, place: tuple[str | int, ...], number: int) -> Problem:
    return Problem(severity=Severity.WARNING, code=code, text=text, place=place, step_number=number)
