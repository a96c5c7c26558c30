"""Steps that people do: the workflow waits for their word, and goes on from it at once."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.testing import TimeSkipper

from api.callers import Caller
from api.conducting import Conducting
from api.services.todo_steps import Report
from api.services.todos import KnownTodo, TodoFilter, TodoService
from shared.contracts.recipient import WakeSignal
from shared.db.models import Role, TodoStatus
from shared.domain.channels import Channel
from shared.domain.inbound import InboundKind
from shared.domain.recipient import ActivityName, EndReason, Planned
from tests.factories import DAY
from tests.workflows.conftest import Recipient, World, end_of, hold
from workflows.recipient import RecipientWorkflow

BY_HAND: dict[str, Any] = {"channels": [Channel.TASK] * 3, "waits": [0, 3 * DAY, 3 * DAY]}


class Person:
    """Somebody who works the company's to-dos."""

    def __init__(self, world: World) -> None:
        conducting = Conducting(database=world.database, conductor=world.conductor)
        self._todos = TodoService(database=world.database, conducting=conducting)
        self._caller = Caller(
            company_id=world.company.id, user_id=world.company.user_id, role=Role.MEMBER
        )

    async def wait_for_todo(self) -> KnownTodo:
        wanted = TodoFilter(status=TodoStatus.OPEN)
        async with asyncio.timeout(60):
            while True:
                if found := await self._todos.list_todos(self._caller, wanted, limit=1, after=None):
                    return found[0]
                await asyncio.sleep(0.02)

    async def finish(self, todo: KnownTodo) -> None:
        await self._todos.settle(self._caller, todo.id, Report(status=TodoStatus.DONE))


@pytest.fixture
def person(world: World) -> Person:
    return Person(world)


async def until_opened(recipient: Recipient) -> None:
    async with asyncio.timeout(60):
        while "a person" not in (await recipient.query(RecipientWorkflow.progress)).label:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.02)


async def test_a_step_of_a_person_costs_15_events(world: World, person: Person) -> None:
    """Eleven as for a mail, the person's word, and the task that hears it."""
    recipient = await world.start(**BY_HAND)
    for _ in range(3):
        todo = await person.wait_for_todo()
        await until_opened(recipient)
        await person.finish(todo)

    assert await end_of(recipient) is EndReason.COMPLETED
    events = [e.event_type async for e in recipient.fetch_history_events()]
    skips = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED
    counted = [e for e in events if e != skips]
    # A look at the rows begins and ends it; the first step needs no timer; the end is shown.
    assert len(counted) == 5 + 6 + 15 * 3 - 5 + 6 + 1, Counter(map(EventType.Name, counted))


async def test_mails_go_on_behind_a_person(world: World, person: Person) -> None:
    recipient = await world.start(channels=[Channel.TASK, Channel.EMAIL], waits=[0, DAY])
    await person.finish(await person.wait_for_todo())
    assert await end_of(recipient) is EndReason.COMPLETED
    assert len(world.gmail.sent) == 1


async def test_a_word_that_comes_while_the_todo_is_opened_is_heard(
    world: World, person: Person
) -> None:
    """The row is there before the workflow knows of it."""
    recipient = await world.start(channels=[Channel.TASK], waits=[0])
    await person.finish(await person.wait_for_todo())
    assert await end_of(recipient) is EndReason.COMPLETED


async def test_two_changes_at_once_are_looked_up(world: World, person: Person) -> None:
    recipient = await world.start(channels=[Channel.TASK], waits=[0])
    todo = await person.wait_for_todo()
    await until_opened(recipient)
    await world.workers.stop()
    stale = Planned(
        activity=ActivityName.TASK_OPEN,
        step_id=todo.row.step_id,
        at=todo.row.created_at + timedelta(days=30),
        label="of an earlier change",
    )
    await person.finish(todo)
    await world.conductor.wake(world.ref, WakeSignal(event_id=todo.id, next=stale))
    await world.workers.start()
    # Waiting for what the earlier one has said would take a month.
    assert await end_of(recipient) is EndReason.COMPLETED


async def test_an_answer_ends_it_while_a_person_has_it(
    world: World, person: Person, clock: TimeSkipper
) -> None:
    hold(clock)
    recipient = await world.start(channels=[Channel.EMAIL, Channel.TASK], waits=[0, DAY])
    await clock.fast_forward(recipient, timedelta(days=1, minutes=1))
    todo = await person.wait_for_todo()
    await until_opened(recipient)

    await world.receive(InboundKind.REPLY)

    assert await end_of(recipient) is EndReason.REPLIED
    assert (await person._todos.get(person._caller, todo.id)).row.status is TodoStatus.CANCELLED
