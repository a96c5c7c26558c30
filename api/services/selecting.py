"""Which leads: a filter, and the segment that it names, as conditions."""

import re

from sqlalchemy import ARRAY, ColumnElement, Text, bindparam, exists, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.leads import LeadSelection, LeadTraits
from shared.db.models import LeadRow, RecipientRow, SegmentRow
from shared.db.models.leads import FOLDED
from shared.errors import Invalid

SEARCHED = (
    LeadRow.email,
    LeadRow.name,
    LeadRow.first_name,
    LeadRow.last_name,
    LeadRow.company_name,
)


async def conditions_of(session: AsyncSession, asked: LeadSelection) -> list[ColumnElement[bool]]:
    """What a lead has to fulfil, the segment's filter among it. Raises Invalid: no such segment."""
    conditions = _conditions(asked)
    if asked.segment_id is None:
        return conditions
    segment = await session.get(SegmentRow, asked.segment_id)
    if segment is None:
        raise Invalid(f"Segment {asked.segment_id} is not there", field="segment_id")
    return conditions + _conditions(LeadTraits.model_validate(segment.filter))


def _matching(text: str) -> list[ColumnElement[bool]]:
    """The index finds beginnings of words; what stands between them is compared afterwards."""
    words = re.findall(r"[^\W_]+", text.lower())
    if not words:
        return [false()]
    wanted = bindparam(None, words, type_=ARRAY(Text()))
    found = func.leads_matching(wanted).table_valued("company_id", "id")
    parts = [
        or_(*(column.icontains(part, autoescape=True) for column in SEARCHED))
        for part in text.split()
    ]
    return [LeadRow.id.in_(select(found.c.id)), *parts]


def _conditions(asked: LeadTraits) -> list[ColumnElement[bool]]:
    """What a lead has to fulfil to match every given filter."""
    conditions = [
        getattr(LeadRow, f"{name}_folded") == func.lower(value)
        for name in FOLDED
        if (value := getattr(asked, name)) is not None
    ]
    if asked.status is not None:
        conditions.append(LeadRow.status == asked.status)
    if asked.q:
        conditions += _matching(asked.q)
    ranges = (
        (asked.fit_score_min, LeadRow.fit_score.__ge__),
        (asked.fit_score_max, LeadRow.fit_score.__le__),
        (asked.budget_min, LeadRow.budget_max.__ge__),
        (asked.budget_max, LeadRow.budget_min.__le__),
    )
    conditions += [compare(bound) for bound, compare in ranges if bound is not None]
    if asked.not_in_campaign:
        is_inside = (RecipientRow.lead_id == LeadRow.id) & (
            RecipientRow.campaign_id == asked.not_in_campaign
        )
        conditions.append(~exists().where(is_inside))
    return conditions
