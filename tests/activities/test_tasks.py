"""A step that a person does: opened once, as a to-do that says what to do for whom."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from shared.contracts.recipient import ActionOrder
from shared.db.models import (
    ActionStatus,
    CampaignRow,
    MembershipRow,
    RecipientRow,
    Role,
    TodoRow,
    TodoStatus,
)
from shared.db.models.campaigns import CampaignStatus
from shared.domain.channels import Channel
from shared.domain.recipient import (
    ActivityName,
    EndReason,
    Finished,
    HoldReason,
    Outcome,
    Parked,
    Planned,
)
from tests.activities.conftest import at
from tests.factories import NOON, Company
from workflows.parts import Parts

PROFILE = "https://www.linkedin.com/in/ada"
Open = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def open_task(parts: Parts) -> Open:
    async def attempt(order: ActionOrder, instant: datetime = NOON) -> Outcome:
        return await at(instant).run(parts.tasks.open, order)

    return attempt


async def make_order(
    company: Company,
    *,
    channels: Sequence[Channel] = (Channel.TASK, Channel.EMAIL),
    lead: dict[str, Any] | None = None,
    **more: Any,
) -> ActionOrder:
    """A recipient that was started at noon, whose first step is a person's."""
    campaign = await company.make_campaign(waits=[0] * len(channels), channels=channels, **more)
    lead_id = await company.make_lead(**(lead or {}))
    recipient = await company.make_recipient(campaign, lead_id=lead_id)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, recipient.recipient_id)
        row.started_at = row.launched_at = NOON
    order = company.order(recipient, campaign.step_ids[0])
    return replace(order, activity=ActivityName.TASK_OPEN)


async def todos(company: Company) -> list[TodoRow]:
    async with company.session() as session:
        return list(await session.scalars(select(TodoRow)))


async def test_a_step_for_a_person_becomes_a_todo(company: Company, open_task: Open) -> None:
    order = await make_order(company)

    assert await open_task(order) == Parked(reason=HoldReason.TODO)

    [todo] = await todos(company)
    assert (todo.title, todo.text) == ("Hello", "Hello Ada")
    assert (todo.status, todo.channel) == (TodoStatus.OPEN, Channel.TASK)
    assert todo.due_at == NOON + timedelta(days=1)
    [action] = await company.actions()
    assert (action.status, action.account_id) == (ActionStatus.PLACED, None)
    assert action.provider_id == str(todo.id)


async def test_attempts_at_the_same_time_open_one_todo(company: Company, open_task: Open) -> None:
    order = await make_order(company)
    await asyncio.gather(*(open_task(order) for _ in range(4)))
    assert await open_task(order) == Parked(reason=HoldReason.TODO)
    assert len(await todos(company)) == 1


async def test_a_todo_that_was_opened_before_the_crash_is_not_opened_again(
    company: Company, open_task: Open
) -> None:
    order = await make_order(company)
    await open_task(order)
    async with company.session() as session:
        await session.execute(text("update actions set status = 'reserved', provider_id = null"))

    assert await open_task(order) == Parked(reason=HoldReason.TODO)

    [todo] = await todos(company)
    [action] = await company.actions()
    assert (action.status, action.provider_id) == (ActionStatus.PLACED, str(todo.id))


@pytest.mark.parametrize(
    ("channel", "lead", "title"),
    [
        (Channel.LINKEDIN_CONNECTION, {"linkedin_url": PROFILE}, "Invite Ada on LinkedIn"),
        (Channel.LINKEDIN_MESSAGE, {"linkedin_url": PROFILE}, "Write to Ada on LinkedIn"),
        (Channel.CALL, {"phone": "+33123456789"}, "Call Ada"),
        (Channel.TASK, {}, "Step 2 for Ada"),
    ],
    ids=["invitation", "message", "call", "task"],
)
async def test_the_title_says_what_to_do(
    company: Company, open_task: Open, channel: Channel, lead: dict[str, Any], title: str
) -> None:
    order = await make_order(
        company, channels=[Channel.TASK, channel], lead=lead, options={"by_hand": True}
    )
    await open_task(order)
    async with company.session() as session:
        await session.execute(text("update todos set status = 'skipped'"))
        await session.execute(
            text("update actions set status = 'skipped', settled_at = :at"), {"at": NOON}
        )
        next_step = await session.scalar(text("select (steps -> 1 ->> 'id')::uuid from versions"))

    await open_task(replace(order, step_id=next_step))

    assert title in {todo.title for todo in await todos(company)}


@pytest.mark.parametrize("channel", [Channel.LINKEDIN_MESSAGE, Channel.CALL])
async def test_without_the_address_nobody_could_do_it_so_it_is_skipped(
    company: Company, open_task: Open, channel: Channel
) -> None:
    order = await make_order(
        company, channels=[channel, Channel.EMAIL], options={"by_hand": True, "due_days": 2}
    )

    outcome = await open_task(order)

    assert await todos(company) == []
    [action] = await company.actions()
    assert action.status is ActionStatus.SKIPPED
    assert action.refusal is not None
    assert "The lead has no" in action.refusal
    assert isinstance(outcome, Planned)
    assert outcome.step_id != order.step_id


async def test_it_is_for_the_member_that_the_step_names(company: Company, open_task: Open) -> None:
    await join(company, company.user_id)
    named = await make_order(company, options={"assignee_id": str(company.user_id), "due_days": 3})
    await open_task(named)
    [todo] = await todos(company)
    assert (todo.assignee_id, todo.due_at) == (company.user_id, NOON + timedelta(days=3))


async def test_whoever_has_left_is_given_nothing(company: Company, open_task: Open) -> None:
    gone = UUID(int=7)
    await open_task(await make_order(company, options={"assignee_id": str(gone)}))
    [todo] = await todos(company)
    assert todo.assignee_id is None


async def test_a_paused_campaign_opens_none(company: Company, open_task: Open) -> None:
    order = await make_order(company)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, order.recipient_id)
        campaign = await session.get_one(CampaignRow, row.campaign_id)
        campaign.status = CampaignStatus.PAUSED

    assert await open_task(order) == Parked(reason=HoldReason.CAMPAIGN_PAUSED)
    assert await todos(company) == []


async def test_whatever_ends_the_recipient_cancels_its_todo(
    company: Company, open_task: Open
) -> None:
    order = await make_order(company)
    await open_task(order)

    await end(company, order.recipient_id)

    [todo] = await todos(company)
    assert (todo.status, todo.reason) == (TodoStatus.CANCELLED, "replied")
    [action] = await company.actions()
    assert action.status is ActionStatus.ABANDONED
    assert await open_task(order) == Finished(reason=EndReason.REPLIED)
    assert len(await todos(company)) == 1


async def test_nothing_is_opened_for_whom_has_ended(company: Company, open_task: Open) -> None:
    order = await make_order(company)
    await end(company, order.recipient_id)
    assert await open_task(order) == Finished(reason=EndReason.REPLIED)
    assert await todos(company) == []


async def test_a_todo_half_opened_when_an_edit_came_is_given_up(
    company: Company, parts: Parts, open_task: Open
) -> None:
    """The step is gone, and its to-do is there, though its action does not know it yet."""
    order = await make_order(company)
    await open_task(order)
    async with company.session() as session:
        await session.execute(text("update actions set status = 'reserved', provider_id = null"))
        # As publishing without the step would have it.
        await session.execute(text("update versions set steps = steps - 0"))
    parts.tasks._ledger._shelf._kept.clear()  # versions do not change, so they are kept

    assert await at(NOON).run(parts.tasks.settle, order)

    [todo] = await todos(company)
    assert (todo.status, todo.reason) == (TodoStatus.CANCELLED, "the campaign was changed")
    assert not await at(NOON).run(parts.tasks.settle, order)


async def test_a_todo_that_waits_for_its_person_is_left_alone(
    company: Company, parts: Parts, open_task: Open
) -> None:
    order = await make_order(company)
    await open_task(order)
    assert not await at(NOON).run(parts.tasks.settle, order)
    [todo] = await todos(company)
    assert todo.status is TodoStatus.OPEN


async def test_a_lead_without_what_the_text_asks_for_waits_for_a_person(
    company: Company, open_task: Open
) -> None:
    order = await make_order(company, text="Hello {{ lead.city }}")
    assert await open_task(order) == Parked(reason=HoldReason.CONTENT)
    assert await todos(company) == []


async def end(company: Company, recipient_id: UUID) -> None:
    async with company.session() as session:
        row = await session.get_one(RecipientRow, recipient_id)
        row.end_reason, row.ended_at = EndReason.REPLIED, NOON


async def join(company: Company, user_id: UUID) -> None:
    async with company.session() as session:
        session.add(MembershipRow(user_id=user_id, role=Role.MEMBER))
