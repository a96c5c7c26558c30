"""The steps of a campaign. Edits of a campaign that runs are published at once."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.conducting import Conducting
from api.services.campaigns import get_campaign, list_steps
from api.services.linting import errors_of
from api.services.publishing import publish_edit
from api.services.step_rows import must_not_be_asked_for, settle_guards, to_columns, tree_of
from api.services.versions import must_match
from shared.content import check_template
from shared.contracts.operations import WakingOrder
from shared.db.models import CampaignRow, StepRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.session import Database
from shared.domain.linting import find_structure_problems
from shared.errors import Conflict, Invalid, NotFound

TEMPLATES = ("subject", "message_template")
MOST_STEPS = 1_000

_REORDER = text("""
update steps set position = wanted.position
from unnest(cast(:ids as uuid[])) with ordinality as wanted (id, position)
where steps.id = wanted.id
""")


class SequenceService:
    def __init__(self, *, database: Database, conducting: Conducting) -> None:
        self._database = database
        self._conducting = conducting

    async def list_steps(self, caller: Caller, campaign_id: UUID) -> Sequence[StepRow]:
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            return await list_steps(session, campaign_id)

    async def add(
        self, caller: Caller, campaign_id: UUID, fields: Mapping[str, Any], *, at: int | None
    ) -> StepRow:
        """Put a step in at its number, or behind the last one."""
        _check_templates(fields)
        async with self._database.company_session(caller.company_id) as session:
            campaign = await open_campaign(session, campaign_id)
            last = await _last_position(session, campaign_id)
            if last >= MOST_STEPS:
                raise Conflict(f"A campaign has at most {MOST_STEPS} steps")
            position = at or last + 1
            if position > last + 1:
                raise Invalid(f"The next free number is {last + 1}", field="step_number")
            columns = to_columns(fields, steps=await list_steps(session, campaign_id))
            await _shift(session, campaign_id, behind=position - 1, by=1)
            step = StepRow(id=uuid7(), campaign_id=campaign_id, position=position, **columns)
            session.add(step)
            await session.flush()
            await settle_guards(session, campaign_id)
            waking = await publish_steps(session, campaign, caller)
        await self._conducting.wake_many(waking)
        return step

    async def get(self, caller: Caller, campaign_id: UUID, step_number: int) -> StepRow:
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            return await _get_step(session, campaign_id, step_number)

    async def change(
        self,
        caller: Caller,
        campaign_id: UUID,
        step_number: int,
        fields: Mapping[str, Any],
        *,
        expected: str | None,
    ) -> StepRow:
        _check_templates(fields)
        async with self._database.company_session(caller.company_id) as session:
            campaign = await open_campaign(session, campaign_id)
            step = await _get_step(session, campaign_id, step_number)
            must_match(step, expected)
            columns = to_columns(fields, steps=await list_steps(session, campaign_id), row=step)
            for name, value in columns.items():
                setattr(step, name, value)
            await session.flush()
            await settle_guards(session, campaign_id)
            waking = await publish_steps(session, campaign, caller)
        await self._conducting.wake_many(waking)
        return step

    async def remove(self, caller: Caller, campaign_id: UUID, step_number: int) -> None:
        """The steps behind it move up; a campaign that runs keeps its last step."""
        async with self._database.company_session(caller.company_id) as session:
            campaign = await open_campaign(session, campaign_id)
            step = await _get_step(session, campaign_id, step_number)
            is_last = await _last_position(session, campaign_id) == 1
            if is_last and campaign.version_id and not campaign.draft_edits:
                raise Conflict("This is the only step of a campaign that runs: change it instead")
            must_not_be_asked_for(step, await list_steps(session, campaign_id))
            await session.delete(step)
            await session.flush()
            await _shift(session, campaign_id, behind=step_number, by=-1)
            await settle_guards(session, campaign_id)
            waking = await publish_steps(session, campaign, caller)
        await self._conducting.wake_many(waking)

    async def reorder(
        self, caller: Caller, campaign_id: UUID, order: Sequence[int | UUID]
    ) -> Sequence[StepRow]:
        async with self._database.company_session(caller.company_id) as session:
            campaign = await open_campaign(session, campaign_id)
            ids = _ids_in_order(await list_steps(session, campaign_id), order)
            await session.execute(_REORDER, {"ids": ids})
            await settle_guards(session, campaign_id)
            steps = await list_steps(session, campaign_id)
            waking = await publish_steps(session, campaign, caller)
        await self._conducting.wake_many(waking)
        return steps


def _ids_in_order(steps: Sequence[StepRow], order: Sequence[int | UUID]) -> list[UUID]:
    numbers: dict[int | UUID, UUID] = {step.position: step.id for step in steps}
    known = numbers | {step.id: step.id for step in steps}
    ids = [known[part] for part in order if part in known]
    if len(ids) != len(order) or sorted(ids) != sorted(step.id for step in steps):
        raise Invalid(
            f"Name each of the {len(steps)} steps once, by its number or its id", field="order"
        )
    return ids


def _check_templates(fields: Mapping[str, Any]) -> None:
    call = fields.get("call") or {}
    found = {field: fields.get(field) for field in TEMPLATES}
    found["call.first_sentence"] = call.get("first_sentence")
    found["call.voicemail.message"] = (call.get("voicemail") or {}).get("message")
    for field, template in found.items():
        if template:
            check_template(template, field=field)


async def open_campaign(session: AsyncSession, campaign_id: UUID) -> CampaignRow:
    """Locked, so that edits take turns and numbers stay 1..n."""
    campaign = await get_campaign(session, campaign_id, is_locked=True)
    if campaign.status is CampaignStatus.COMPLETED:
        raise Conflict("The campaign is completed: its steps stay as they were")
    return campaign


async def publish_steps(
    session: AsyncSession, campaign: CampaignRow, caller: Caller
) -> WakingOrder | None:
    """Let those inside follow the edit, unless it is to wait for publish.

    Raises Conflict for steps that could never work: somebody would be lost in them.
    """
    if campaign.version_id is None or campaign.draft_edits:
        return None
    problems = find_structure_problems(tree_of(await list_steps(session, campaign.id)))
    if missing := errors_of(problems):
        raise Conflict("The campaign runs, and could not go on like this", missing=tuple(missing))
    return await publish_edit(session, campaign, by=caller.user_id)


async def _last_position(session: AsyncSession, campaign_id: UUID) -> int:
    last = select(func.max(StepRow.position)).where(StepRow.campaign_id == campaign_id)
    return await session.scalar(last) or 0


async def _get_step(session: AsyncSession, campaign_id: UUID, step_number: int) -> StepRow:
    step = await session.scalar(
        select(StepRow).where(StepRow.campaign_id == campaign_id, StepRow.position == step_number)
    )
    if step is None:
        raise NotFound(f"The campaign has no step {step_number}")
    return step


async def _shift(session: AsyncSession, campaign_id: UUID, *, behind: int, by: int) -> None:
    """One statement, so that the numbers need to be unique only at its end."""
    await session.execute(
        update(StepRow)
        .where(StepRow.campaign_id == campaign_id, StepRow.position > behind)
        .values(position=StepRow.position + by)
        .execution_options(synchronize_session=False)
    )
