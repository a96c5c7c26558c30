"""Which leads of a campaign lack a variable that its templates need, counted in one statement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.previewing import Gap, GapsAnswer
from shared.content import Values, read_template
from shared.db.models import StepRow
from shared.domain.channels import Channel
from shared.templating.needs import Need
from shared.templating.variables import VARIABLES, facts_of, is_known, value_of, values_of

_ABOUT = text("""
select c.name as campaign_name, c.type as campaign_type, c.created_at as campaign_created_at,
       (select to_jsonb(co) from companies co) as company, cast('{}' as jsonb) as lead,
       (select jsonb_build_object('name', p.product_name, 'description', p.description)
        from products p where p.id = c.product_id) as product,
       coalesce(a.send_as, a.email) as account_email, a.display_name as account_name,
       a.signature as account_signature
from campaigns c left join accounts a on a.id = coalesce(c.account_id,
  (select p.id from accounts p where p.is_primary and p.status <> 'disconnected' limit 1))
where c.id = :campaign_id
""")
_NAME = "coalesce(nullif(l.name, ''), nullif(concat(l.first_name, l.last_name), '')) is not null"
_OF_LEADS = ("lead", "property")


@dataclass(frozen=True, slots=True)
class StepNeed:
    step_number: int
    need: Need


def needs_of(steps: Sequence[StepRow]) -> Iterator[StepNeed]:
    """Raises Invalid when a template cannot be read."""
    subject: str | None = None
    for step in steps:
        # A mail without a subject goes on with the one before it.
        is_mail = step.channel is Channel.EMAIL
        subject = (step.subject or subject) if is_mail else subject
        line = read_template(subject or "" if is_mail else "", field="subject", is_line=True)
        body = read_template(step.message_template, field="message_template")
        voicemail = step.options.get("voicemail") or {}
        spoken = [step.options.get("first_sentence"), voicemail.get("message")]
        said = [read_template(words, field="call") for words in spoken if words]
        for need in dict.fromkeys(
            (*line.needs, *body.needs, *(n for it in said for n in it.needs))
        ):
            yield StepNeed(step.position, need)


async def about_campaign(session: AsyncSession, campaign_id: UUID) -> Values:
    """The variables that are the same for every lead."""
    row = (await session.execute(_ABOUT, {"campaign_id": campaign_id})).one()
    return values_of(facts_of(row), unsubscribe_url="-")


def missing_for_all(steps: Sequence[StepRow], values: Values) -> list[str]:
    """A sentence for each variable that no lead of this campaign can have."""
    sentences = []
    for wanted in needs_of(steps):
        variable = wanted.need.variable
        if not is_known(variable):
            remedy = "there is no such variable; GET /api/templates/variables lists them"
        elif _is_of_leads(variable) or value_of(variable, values) is not None:
            continue
        else:
            remedy = "it has no value here; fill it in, or write |default('...') behind it"
        if not wanted.need.when:
            sentences.append(f"Step {wanted.step_number} asks for {variable}: {remedy}")
    return list(dict.fromkeys(sentences))


async def count_gaps(
    session: AsyncSession, campaign_id: UUID, steps: Sequence[StepRow], *, most: int | None = None
) -> GapsAnswer:
    """Over the campaign's open recipients, of whom `most` are looked at."""
    values = await about_campaign(session, campaign_id)
    wanted: dict[str, list[StepNeed]] = {}
    for one in needs_of(steps):
        wanted.setdefault(one.need.variable, []).append(one)
    counting = _Counting(values)
    conditions = [counting.any_of([one.need for one in needs]) for needs in wanted.values()]
    counts = ", ".join(f"count(*) filter (where {one})" for one in conditions)
    anything = " or ".join(conditions) or "false"
    query = text(
        f"select count(*), count(*) filter (where {anything}){', ' if counts else ''}{counts}"  # noqa: S608 - made of our own words; what users wrote is bound
        " from (select lead_id from recipients where campaign_id = :campaign_id"
        " and ended_at is null limit :most) r join leads l on l.id = r.lead_id"
    )
    bound = {"campaign_id": campaign_id, "most": most, **counting.bound}
    leads, with_gaps, *each = (await session.execute(query, bound)).one()
    gaps = [
        Gap(variable=name, leads=number, step_numbers=sorted({o.step_number for o in needs}))
        for (name, needs), number in zip(wanted.items(), each, strict=True)
        if number
    ]
    return GapsAnswer(leads=leads, leads_with_gaps=with_gaps, gaps=gaps)


class _Counting:
    """Conditions in SQL; `bound`: the values of their parameters."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self.bound: dict[str, Any] = {}

    def any_of(self, needs: Sequence[Need]) -> str:
        return "(" + " or ".join(self._unmet(need) for need in needs) + ")"

    def _unmet(self, need: Need) -> str:
        parts = [f"not {self._is_there(need.variable)}"]
        for variable, wanted in sorted(need.when):
            parts.append(f"{'' if wanted else 'not '}{self._is_there(variable)}")
        return "(" + " and ".join(parts) + ")"

    def _is_there(self, variable: str) -> str:
        group, _, field = variable.partition(".")
        if not is_known(variable):
            return "false"
        if not _is_of_leads(variable):
            return "true" if value_of(variable, self._values) is not None else "false"
        if variable == "lead.name":
            return f"({_NAME})"
        if group == "property":
            path, flat = self._bind(["property", *field.split(".")]), self._bind_text(field)
            nested = "jsonb_typeof(l.custom -> 'property') = 'object'"
            return _has_value(
                f"case when {nested} then l.custom #> {path} else l.custom -> {flat} end"
            )
        column, *deeper = field.split(".")
        if column not in VARIABLES["lead"] or (deeper and column != "custom"):
            return "false"
        where = f" #> {self._bind(deeper)}" if deeper else ""
        return _has_value(f"l.custom{where}" if column == "custom" else f"to_jsonb(l.{column})")

    def _bind(self, path: list[str]) -> str:
        name = f"path_{len(self.bound)}"
        self.bound[name] = path
        return f"cast(:{name} as text[])"

    def _bind_text(self, field: str) -> str:
        name = f"field_{len(self.bound)}"
        self.bound[name] = f"property_{field}"
        return f"cast(:{name} as text)"


def _is_of_leads(variable: str) -> bool:
    return variable.partition(".")[0] in _OF_LEADS


def _has_value(expression: str) -> str:
    """As `has_value` of the templates sees it."""
    return (
        f"(coalesce({expression}, 'null'::jsonb) not in"
        " ('null'::jsonb, '\"\"'::jsonb, '[]'::jsonb, '{}'::jsonb))"
    )


def in_words(gaps: GapsAnswer, *, most: int) -> list[str]:
    """A warning for each variable that leads lack."""
    beginning = "At least " if gaps.leads >= most else ""
    return [
        f"{beginning}{gap.leads} of {gaps.leads} leads have no {gap.variable}, which step"
        f" {', '.join(map(str, gap.step_numbers))} needs: they will wait until they have one"
        for gap in gaps.gaps
    ]
