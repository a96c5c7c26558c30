"""People take a recipient's next step into their own hands."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest
from sqlalchemy import update
from uuid_utils.compat import uuid7

from shared.db.models import AccountRow, ActionRow, ActionStatus, CampaignRow, RecipientRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.models.leads import LeadRow
from shared.domain.leads import LeadStatus
from shared.domain.recipient import Finished, Planned
from tests.api.acting import Workers
from tests.api.conftest import make_action
from tests.factories import Campaign, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail

Json = dict[str, Any]


@pytest.fixture
async def recipient_id(
    api: httpx.AsyncClient, company: Company, url: str, workers: Workers
) -> UUID:
    """Its first mail has been sent, the second one is due in three days."""
    one = (await api.post(url, json={"contact_id": str(await company.make_lead())})).json()
    await workers.go_on(UUID(one["id"]))
    return UUID(one["id"])


async def test_send_now_leaves_the_wait_out(
    *,
    api: httpx.AsyncClient,
    campaign: Campaign,
    url: str,
    workers: Workers,
    gmail: FakeGmail,
    recipient_id: UUID,
    conductor: RecordingConductor,
) -> None:
    answer = await api.post(f"{url}/{recipient_id}/send-now")
    explained = (await api.get(f"{url}/{recipient_id}/explain")).json()
    after = await workers.go_on(recipient_id)

    assert answer.status_code == 200, answer.text
    assert datetime.fromisoformat(answer.json()["next_action_at"]) <= datetime.now(UTC)
    assert "asked for at once" in explained["because"][0]
    assert [ref.recipient_id for ref, _ in conductor.wakes] == [recipient_id]
    assert len(gmail.sent) == 2
    assert isinstance(after, Planned)
    assert after.step_id == campaign.step_ids[2]
    # The third step keeps its own wait.
    assert after.at > datetime.now(UTC) + timedelta(days=2)


@pytest.mark.parametrize("what", ["campaign", "recipient", "account", "lead", "done"])
async def test_send_now_gets_past_nothing_but_the_wait(
    *,
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    url: str,
    recipient_id: UUID,
    what: str,
) -> None:
    match what:
        case "campaign":
            await api.post(f"/api/campaigns/{campaign.id}/pause")
        case "recipient":
            await api.post(f"{url}/{recipient_id}/pause")
        case "account":
            async with company.session() as session:
                await session.execute(update(AccountRow).values(status="needs_attention"))
        case "lead":
            await company.suppress((await company.recipient(recipient_id)).lead_id)
        case "done":
            await api.post(f"{url}/{recipient_id}/mark-responded")

    answer = await api.post(f"{url}/{recipient_id}/send-now")

    assert answer.status_code == 409
    assert (await company.recipient(recipient_id)).hurried_at is None


async def test_a_skipped_step_is_not_sent_and_the_others_keep_their_dates(
    *,
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    url: str,
    workers: Workers,
    gmail: FakeGmail,
    recipient_id: UUID,
) -> None:
    second_at = await workers.next_at(recipient_id)

    answer = await api.post(f"{url}/{recipient_id}/skip-step")

    planned = await workers.look(recipient_id)
    [_, skipped, following] = (await api.get(f"{url}/{recipient_id}/actions")).json()
    step = (await api.get(f"/api/campaigns/{campaign.id}/stats")).json()["steps"][1]
    assert (answer.status_code, answer.json()["current_step"]) == (200, 2)
    assert isinstance(planned, Planned)
    assert second_at is not None
    assert (planned.step_id, planned.at) == (campaign.step_ids[2], second_at + timedelta(days=3))
    assert (skipped["status"], skipped["detail"], skipped["step_number"]) == (
        "failed",
        "skipped",
        2,
    )
    assert "skipped" in skipped["error_message"]
    assert following["step_number"] == 3
    assert (step["sent"], step["skipped"]) == (0, 1)
    # The third mail goes into the thread of the first.
    await workers.go_on(recipient_id, planned.at)
    assert len({mail.thread_id for mail in gmail.sent}) == 1
    assert len(gmail.sent) == 2


async def test_who_was_only_skipped_has_not_been_contacted(
    api: httpx.AsyncClient, company: Company, url: str, workers: Workers
) -> None:
    lead_id = await company.make_lead()
    one = (await api.post(url, json={"contact_id": str(lead_id)})).json()
    recipient_id = UUID(one["id"])

    await api.post(f"{url}/{recipient_id}/skip-step")
    async with company.session() as session:
        skipped = (await session.get_one(LeadRow, lead_id)).status
    planned = await workers.look(recipient_id)
    assert isinstance(planned, Planned)
    await workers.go_on(recipient_id, planned.at)

    async with company.session() as session:
        assert (await session.get_one(LeadRow, lead_id)).status is LeadStatus.CONTACTED
    assert skipped is LeadStatus.NEW


async def test_skipping_the_last_step_ends_it(
    api: httpx.AsyncClient, url: str, workers: Workers, recipient_id: UUID
) -> None:
    for _ in range(2):
        assert (await api.post(f"{url}/{recipient_id}/skip-step")).status_code == 200
    too_often = await api.post(f"{url}/{recipient_id}/skip-step")

    assert too_often.status_code == 409
    assert isinstance(await workers.look(recipient_id), Finished)
    assert (await api.get(f"{url}/{recipient_id}")).json()["status"] == "completed"


async def test_what_is_being_done_is_neither_skipped_nor_hurried(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str, recipient_id: UUID
) -> None:
    async with company.session() as session:
        version_id = (await session.get_one(CampaignRow, campaign.id)).version_id
        reserved = {"step_id": campaign.step_ids[1], "status": ActionStatus.RESERVED}
        session.add(make_action(campaign, company, recipient_id, version_id=version_id, **reserved))

    answers = [await api.post(f"{url}/{recipient_id}/{verb}") for verb in ("skip-step", "send-now")]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert "at this moment" in answers[0].json()["detail"]


async def test_execute_next_does_everybodys_next_step(
    *,
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    url: str,
    workers: Workers,
    recipient_id: UUID,
    conductor: RecordingConductor,
) -> None:
    leads = [str(await company.make_lead()) for _ in range(3)]
    fresh = (await api.post(url, json={"contact_ids": leads})).json()["recipients"]
    await api.post(f"{url}/{fresh[2]['id']}/pause")

    answer = await api.post(
        f"/api/campaigns/{campaign.id}/execute-next", params={"limit": 50, "wait": 0}
    )

    executed = {one["recipient_id"]: one for one in answer.json()["executed"]}
    assert answer.status_code == 200, answer.text
    assert executed.keys() == {str(recipient_id), fresh[0]["id"], fresh[1]["id"]}
    assert executed[str(recipient_id)] == {
        "recipient_id": str(recipient_id),
        "step": 2,
        "status": "scheduled",
    }
    assert executed[fresh[0]["id"]]["step"] == 1
    assert {str(ref.recipient_id) for ref, _ in conductor.wakes} == executed.keys()


async def test_execute_next_waits_for_what_becomes_of_them(
    api: httpx.AsyncClient,
    campaign: Campaign,
    workers: Workers,
    recipient_id: UUID,
    conductor: RecordingConductor,
) -> None:
    async def work(*_: object) -> None:
        await workers.go_on(recipient_id)

    conductor.wake = work  # type: ignore[method-assign, assignment] # stands in for the recipient's workflow

    answer = await api.post(f"/api/campaigns/{campaign.id}/execute-next")

    assert [one["status"] for one in answer.json()["executed"]] == ["sent"]


async def test_execute_next_is_for_campaigns_that_run(
    api: httpx.AsyncClient, company: Company, campaign: Campaign
) -> None:
    async with company.session() as session:
        await session.execute(update(CampaignRow).values(status=CampaignStatus.PAUSED))

    answer = await api.post(f"/api/campaigns/{campaign.id}/execute-next")

    assert answer.status_code == 409
    assert "paused" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("outcome", "status", "detail", "mails"),
    [("sent", "sent", "sent", 1), ("resend", "failed", "abandoned", 2)],
)
async def test_a_person_settles_what_nobody_knows(
    *,
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    url: str,
    workers: Workers,
    gmail: FakeGmail,
    recipient_id: UUID,
    outcome: str,
    status: str,
    detail: str,
    mails: int,
) -> None:
    action_id = uuid5(recipient_id, str(campaign.step_ids[0]))
    async with company.session() as session:
        await session.execute(
            update(ActionRow)
            .where(ActionRow.id == action_id)
            .values(status=ActionStatus.UNCONFIRMED, settled_at=None)
        )
        await session.execute(update(RecipientRow).values(current_step=0))
    unclear = (await api.get(f"{url}/{recipient_id}/explain")).json()
    place = f"{url}/{recipient_id}/actions/{action_id}/resolve"

    answers = [await api.post(place, json={"outcome": outcome}) for _ in range(2)]
    other = "sent" if outcome == "resend" else "resend"
    too_late = await api.post(place, json={"outcome": other})
    await workers.go_on(recipient_id)

    assert unclear["blocked_by"] == ["nobody knows whether it was sent"]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    assert (answers[0].json()["status"], answers[0].json()["detail"]) == (status, detail)
    assert too_late.status_code == 409
    assert len(gmail.sent) == mails
    assert (await api.get(f"{url}/{recipient_id}")).json()["current_step"] == 1


async def test_an_action_that_is_not_there_cannot_be_resolved(
    api: httpx.AsyncClient, url: str, recipient_id: UUID
) -> None:
    place = f"{url}/{recipient_id}/actions/{uuid7()}/resolve"

    assert (await api.post(place, json={"outcome": "sent"})).status_code == 404
