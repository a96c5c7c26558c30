"""What is wrong with a campaign before it runs: its steps, and what it has around them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.services.gaps import about_campaign, count_gaps, in_words, missing_for_all
from api.services.step_rows import tree_of
from shared.content import check_template
from shared.db.holidays import holidays_of
from shared.db.models import AccountRow, CampaignRow, CompanyRow, StepRow
from shared.db.models.accounts import AccountStatus
from shared.domain.calendar import Calendar
from shared.domain.calling import FIRST_HOUR, LAST_HOUR
from shared.domain.channels import MAIL_KINDS, Channel
from shared.domain.circumstances import Circumstances, find_problems_around
from shared.domain.definition import Node, StepPlan
from shared.domain.landing import have_common_hours
from shared.domain.linting import (
    Place,
    Problem,
    ProblemCode,
    Severity,
    find_structure_problems,
    walk,
)
from shared.domain.windows import Window, read_hours
from shared.errors import Invalid

# Leads whose values are looked at while somebody waits for the answer.
LOOKED_AT = 10_000
HOUR = 3_600
_TRACKING = ("track_opens", "track_clicks")
# What each channel reaches somebody by; a person finds a way by themselves.
ADDRESS_OF = {
    Channel.EMAIL: "email",
    Channel.CALL: "phone",
    Channel.LINKEDIN_MESSAGE: "linkedin_url",
    Channel.LINKEDIN_CONNECTION: "linkedin_url",
}

_LEADS = """
from (select lead_id from recipients where campaign_id = :campaign_id and ended_at is null
  limit :most) r join leads l on l.id = r.lead_id
"""
_ADDRESSES = text(
    "select count(*) as leads, count(*) filter (where l.email is null) as email,"
    " count(*) filter (where l.phone is null) as phone,"
    f" count(*) filter (where l.linkedin_url is null) as linkedin_url {_LEADS}"
)
_ZONES = text(f"select l.time_zone as zone, count(*) as leads {_LEADS} group by 1")


async def find_problems(
    session: AsyncSession, campaign: CampaignRow, rows: Sequence[StepRow]
) -> list[Problem]:
    """Errors first. Of many leads the first ones are looked at."""
    nodes = tree_of(rows)
    problems = [*find_structure_problems(nodes), *template_problems(nodes)]
    if rows:
        problems += await problems_around(session, campaign, nodes)
        problems += await missing_addresses(session, campaign.id, nodes)
    if rows and not any(p.code is ProblemCode.BROKEN_TEMPLATE for p in problems):
        problems += await _missing_variables(session, campaign.id, rows)
    return sorted(problems, key=lambda problem: problem.severity is Severity.WARNING)


def errors_of(problems: Sequence[Problem]) -> list[str]:
    return [it.text for it in problems if it.severity is Severity.ERROR]


def warnings_of(problems: Sequence[Problem]) -> list[str]:
    return [it.text for it in problems if it.severity is Severity.WARNING]


def template_problems(nodes: Sequence[Node]) -> list[Problem]:
    problems = []
    for visit in walk(nodes):
        if not isinstance(visit.node, StepPlan):
            continue
        for way, template in templates_of(visit.node).items():
            name = ".".join(way)
            try:
                check_template(template, field=name)
            except Invalid as error:
                words = f"Step {visit.number}, {name}: {error}"
                place = (*visit.place, *way)
                problems.append(_error(ProblemCode.BROKEN_TEMPLATE, words, place, visit.number))
    return problems


def templates_of(step: StepPlan) -> dict[tuple[str, ...], str]:
    """What is filled in for each lead, by the way to it."""
    found = {
        ("subject",): step.subject,
        ("message_template",): step.message_template,
        ("call", "first_sentence"): step.options.get("first_sentence"),
        ("call", "voicemail", "message"): (step.options.get("voicemail") or {}).get("message"),
    }
    return {way: template for way, template in found.items() if template}


async def problems_around(
    session: AsyncSession, campaign: CampaignRow, nodes: Sequence[Node], *, with_mail: bool = True
) -> list[Problem]:
    """`with_mail` False: accounts that send mail are looked after elsewhere."""
    kinds = await session.scalars(
        select(AccountRow.kind).where(AccountRow.status != AccountStatus.DISCONNECTED).distinct()
    )
    accounts = frozenset(kinds) if with_mail else frozenset(kinds) | MAIL_KINDS
    now = datetime.now(UTC)
    zone = _zone(campaign.time_zone or await session.scalar(select(CompanyRow.time_zone)))
    window = window_in(campaign.window, zone, now)
    leads = await _leads_by_zone(session, campaign.id) if window else {}
    around = Circumstances(
        today=now.astimezone(zone).date(),
        window=window,
        accounts=accounts,
        tracked=frozenset(name for name in _TRACKING if getattr(campaign, name)),
        unreached=_unreached(campaign, window, leads, now) if window else {},
        leads=sum(leads.values()),
    )
    return find_problems_around(nodes, around)


async def missing_addresses(
    session: AsyncSession, campaign_id: UUID, nodes: Sequence[Node]
) -> list[Problem]:
    """Leads who are passed over by steps, because they cannot be reached that way."""
    needed: dict[str, list[int]] = {}
    for visit in walk(nodes):
        if isinstance(visit.node, StepPlan) and not visit.node.is_by_hand:
            needed.setdefault(ADDRESS_OF[visit.node.channel], []).append(visit.number)
    bound = {"campaign_id": campaign_id, "most": LOOKED_AT}
    counts = (await session.execute(_ADDRESSES, bound)).one()
    beginning = "At least " if counts.leads >= LOOKED_AT else ""
    return [
        Problem(
            severity=Severity.WARNING,
            code=ProblemCode.MISSING_ADDRESS,
            text=f"{beginning}{lacking} of {counts.leads} leads have no {address}, which step"
            f" {', '.join(map(str, numbers))} needs: it is passed over for them",
            place=("steps",),
            step_number=numbers[0],
        )
        for address, numbers in needed.items()
        if (lacking := getattr(counts, address))
    ]


def window_in(stored: Mapping[str, Any] | None, zone: ZoneInfo, now: datetime) -> Window | None:
    """The campaign's window as it is where its company is."""
    if stored is None:
        return None
    place = stored.get("holidays")
    known = place and place != "lead"
    holidays = holidays_of(place, now.year) if place and known else frozenset()
    calendar = Calendar(zone=zone, holidays=holidays)
    return Window(hours=read_hours(stored["days"]), calendar=calendar)


async def _leads_by_zone(session: AsyncSession, campaign_id: UUID) -> dict[str | None, int]:
    rows = await session.execute(_ZONES, {"campaign_id": campaign_id, "most": LOOKED_AT})
    return {row.zone: row.leads for row in rows}


def _unreached(
    campaign: CampaignRow, window: Window, leads: Mapping[str | None, int], now: datetime
) -> dict[str, int]:
    """Leads by the zones in which a call is never allowed while the window is open."""
    legal = Window(hours=(((FIRST_HOUR * HOUR, LAST_HOUR * HOUR),),) * 7)
    here = now.astimezone(window.calendar.zone).utcoffset() or timedelta()
    is_there = bool(campaign.window and campaign.window.get("in_lead_zone", True))
    unreached: dict[str, int] = {}
    for name, number in (leads or {None: 0}).items():
        zone = window.calendar.zone if name is None else _zone(name)
        there = now.astimezone(zone).utcoffset() or timedelta()
        apart = timedelta() if is_there else there - here
        if not have_common_hours(window, legal, apart=apart):
            unreached[zone.key] = unreached.get(zone.key, 0) + number
    return unreached


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        # A lead's zone may come from a file that nobody has checked.
        return ZoneInfo("UTC")


async def _missing_variables(
    session: AsyncSession, campaign_id: UUID, rows: Sequence[StepRow]
) -> list[Problem]:
    impossible = missing_for_all(rows, await about_campaign(session, campaign_id))
    gaps = await count_gaps(session, campaign_id, rows, most=LOOKED_AT)
    place = ("steps",)
    lacking = [
        Problem(
            severity=Severity.WARNING,
            code=ProblemCode.MISSING_VARIABLE,
            text=words,
            place=place,
            step_number=gap.step_numbers[0],
        )
        for gap, words in zip(gaps.gaps, in_words(gaps, most=LOOKED_AT), strict=True)
    ]
    return [*(_error(ProblemCode.MISSING_VARIABLE, words, place) for words in impossible), *lacking]


def _error(code: ProblemCode, words: str, place: Place, number: int | None = None) -> Problem:
    return Problem(severity=Severity.ERROR, code=code, text=words, place=place, step_number=number)
