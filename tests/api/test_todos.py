"""To-dos: what people do by hand, and how a campaign goes on from it."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from shared.db.models import ActionStatus, Role, TodoRow, TodoStatus
from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel
from shared.domain.recipient import ActivityName, EndReason, Planned
from tests.api.acting import Workers
from tests.api.conftest import Login
from tests.api.todos import PROFILE, URL, open_step, report, the_todo
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor


async def test_a_todo_says_what_to_do_for_whom(
    api: httpx.AsyncClient, company: Company, workers: Workers
) -> None:
    order = await open_step(company, workers, Channel.LINKEDIN_CONNECTION)

    todo = await the_todo(api)

    assert (todo["channel"], todo["text"]) == ("linkedin_connection", "Hello Ada")
    assert todo["lead"]["linkedin_url"] == PROFILE
    assert (todo["recipient_id"], todo["is_overdue"]) == (str(order.recipient_id), False)
    assert (await api.get(f"{URL}/{todo['id']}")).json() == todo


@pytest.mark.parametrize(
    ("what", "status", "outcome"),
    [
        ("done", ActionStatus.SENT, StepOutcome.DONE),
        ("skip", ActionStatus.SKIPPED, StepOutcome.SKIPPED),
        ("fail", ActionStatus.REFUSED, StepOutcome.FAILED),
    ],
)
async def test_a_persons_word_settles_the_step_and_the_campaign_goes_on(
    *,
    api: httpx.AsyncClient,
    company: Company,
    workers: Workers,
    conductor: RecordingConductor,
    what: str,
    status: ActionStatus,
    outcome: StepOutcome,
) -> None:
    order = await open_step(company, workers)

    answer = await report(api, await the_todo(api), what, note="The profile is gone")

    assert answer.status_code == 200, answer.text
    assert answer.json()["note"] == "The profile is gone"
    assert answer.json()["settled_by"] == str(company.user_id)
    [action] = await company.actions()
    assert action.status is status
    assert list(action.outcomes) == [outcome]
    assert action.refusal == (None if what == "done" else "The profile is gone")
    row = await company.recipient(order.recipient_id)
    assert (row.next_activity, row.current_step) == (ActivityName.TASK_OPEN, 1)
    [(told, signal)] = conductor.wakes
    assert told.recipient_id == order.recipient_id
    assert signal.next is not None
    assert (signal.next.step_id, signal.next.at) == (row.next_step_id, row.next_at)


async def test_the_next_step_waits_from_when_it_was_done(
    api: httpx.AsyncClient, company: Company, workers: Workers
) -> None:
    order = await open_step(company, workers)
    await report(api, await the_todo(api), "done")
    row = await company.recipient(order.recipient_id)
    [action] = await company.actions()
    assert row.next_at is not None
    assert action.settled_at is not None
    assert timedelta() <= row.next_at - action.settled_at - timedelta(days=1) < timedelta(seconds=2)


async def test_after_the_last_step_the_workflow_looks_and_ends(
    api: httpx.AsyncClient, company: Company, workers: Workers, conductor: RecordingConductor
) -> None:
    order = await open_step(company, workers, Channel.TASK)
    await report(api, await the_todo(api), "done")
    [(_, signal)] = conductor.wakes
    assert signal.next is not None
    assert signal.next.activity is ActivityName.RECIPIENT_PLAN
    await workers.look(order.recipient_id)
    row = await company.recipient(order.recipient_id)
    assert row.end_reason is EndReason.COMPLETED


@pytest.mark.parametrize("what", ["done", "skip", "fail"])
async def test_the_same_word_again_changes_nothing_and_another_one_is_refused(
    api: httpx.AsyncClient,
    company: Company,
    workers: Workers,
    conductor: RecordingConductor,
    what: str,
) -> None:
    await open_step(company, workers)
    todo = await the_todo(api)
    first = await report(api, todo, what)

    again = await api.post(f"{URL}/{todo['id']}/{what}")
    other = await report(api, todo, "skip" if what == "done" else "done")

    assert (again.status_code, again.json()) == (200, first.json())
    assert other.status_code == 409
    assert len(conductor.wakes) == 1
    assert len(await company.actions()) == 1


async def test_an_invitation_that_was_accepted_later_is_told_later(
    api: httpx.AsyncClient, company: Company, workers: Workers, conductor: RecordingConductor
) -> None:
    await open_step(company, workers, Channel.LINKEDIN_CONNECTION, Channel.TASK)
    todo = await the_todo(api)
    await report(api, todo, "done")

    told = await report(api, todo, "done", outcome="connected")
    again = await report(api, todo, "done", outcome="connected")

    assert (told.status_code, told.json()["outcome"]) == (200, "connected")
    assert again.json() == told.json()
    [action] = await company.actions()
    assert set(action.outcomes) == {StepOutcome.DONE, StepOutcome.CONNECTED}
    assert len(conductor.wakes) == 2


async def test_a_call_has_one_ending(
    api: httpx.AsyncClient, company: Company, workers: Workers
) -> None:
    await open_step(company, workers, Channel.CALL)
    await report(api, await the_todo(api), "done", outcome="voicemail")
    [action] = await company.actions()
    assert list(action.outcomes) == [StepOutcome.VOICEMAIL]


@pytest.mark.parametrize("channel", [Channel.TASK, Channel.CALL, Channel.LINKEDIN_MESSAGE])
async def test_an_outcome_that_cannot_be_is_refused(
    api: httpx.AsyncClient, company: Company, workers: Workers, channel: Channel
) -> None:
    await open_step(company, workers, channel)
    answer = await report(api, await the_todo(api), "done", outcome="connected")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "outcome"


async def test_a_reply_takes_the_todo_out_of_peoples_hands(
    *, api: httpx.AsyncClient, company: Company, workers: Workers
) -> None:
    order = await open_step(company, workers)
    todo = await the_todo(api)
    row = await company.recipient(order.recipient_id)
    await api.post(
        f"/api/campaigns/{row.campaign_id}/recipients/{order.recipient_id}/mark-responded"
    )

    late = await report(api, todo, "done")

    shown = (await api.get(f"{URL}/{todo['id']}")).json()
    assert (shown["status"], shown["reason"]) == ("cancelled", "replied")
    assert late.status_code == 409
    assert "replied" in late.json()["detail"]
    [action] = await company.actions()
    assert action.status is ActionStatus.ABANDONED


async def test_members_work_todos(login: Login, company: Company, workers: Workers) -> None:
    await open_step(company, workers)
    member = await login(company, Role.MEMBER)
    assert (await report(member, await the_todo(member), "done")).status_code == 200


async def test_without_temporal_the_word_is_kept_for_the_sweeper(
    api: httpx.AsyncClient, company: Company, workers: Workers, conductor: RecordingConductor
) -> None:
    order = await open_step(company, workers)
    conductor.is_down = True
    assert (await report(api, await the_todo(api), "done")).status_code == 200
    planned = await workers.look(order.recipient_id)
    assert isinstance(planned, Planned)
    async with company.session() as session:
        [status] = await session.scalars(select(TodoRow.status))
    assert status is TodoStatus.DONE
    assert UUID(str(planned.step_id)) != order.step_id
