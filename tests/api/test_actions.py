"""What was done to reach a recipient, what comes next, and why."""

from datetime import timedelta
from uuid import uuid5

import httpx
import pytest

from shared.db.models import ActionStatus, RecipientRow, Role
from shared.domain.recipient import ActivityName, EndReason
from tests.api.conftest import Login, make_action
from tests.factories import NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor

ACTION_FIELDS = {
    "id",
    "recipient_id",
    "sequence_id",
    "status",
    "scheduled_for",
    "executed_at",
    "response_received_at",
    "error_message",
    "created_at",
}


async def test_actions_tell_what_was_done_and_what_comes_next(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str
) -> None:
    ref = await company.make_recipient(campaign)
    later = NOON + timedelta(days=3)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, ref.recipient_id)
        row.started_at = row.launched_at = NOON
        row.next_activity, row.next_at = ActivityName.GMAIL_SEND, later
        row.next_step_id = campaign.step_ids[1]
        session.add(make_action(campaign, company, row.id, provider_id="m1", thread_id="t1"))

    sent, following = (await api.get(f"{url}/{ref.recipient_id}/actions")).json()

    assert sent.keys() >= ACTION_FIELDS
    assert (sent["status"], sent["step_number"], sent["thread_id"]) == ("sent", 1, "t1")
    assert sent["executed_at"] == "2026-03-02T12:00:00Z"
    assert following["status"] == "scheduled"
    assert following["id"] == str(uuid5(ref.recipient_id, str(campaign.step_ids[1])))
    assert following["scheduled_for"] == "2026-03-05T12:00:00Z"
    assert following["step_number"] == 2


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("reserved", "scheduled"),
        ("unconfirmed", "scheduled"),
        ("sent", "sent"),
        ("refused", "failed"),
        ("abandoned", "failed"),
    ],
)
async def test_an_actions_finer_state_goes_into_detail(
    *,
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    url: str,
    status: str,
    shown: str,
) -> None:
    ref = await company.make_recipient(campaign)
    state = ActionStatus(status)
    async with company.session() as session:
        session.add(make_action(campaign, company, ref.recipient_id, status=state, refusal="no"))

    [action] = (await api.get(f"{url}/{ref.recipient_id}/actions")).json()

    assert (action["status"], action["detail"]) == (shown, status)
    assert action["error_message"]


async def test_explain_says_what_comes_next_and_what_holds_it(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str
) -> None:
    lead = str(await company.make_lead())
    one = (await api.post(url, json={"contact_id": lead})).json()

    going = (await api.get(f"{url}/{one['id']}/explain")).json()
    await api.post(f"/api/campaigns/{campaign.id}/pause")
    held = (await api.get(f"{url}/{one['id']}/explain")).json()

    assert (going["state"], going["blocked_by"]) == ("planned", [])
    assert (going["next"]["activity"], going["next"]["step"]) == ("gmail.send", 1)
    assert held["blocked_by"] == ["campaign is paused"]


async def test_mark_responded_does_all_that_a_reply_does(
    login: Login, company: Company, campaign: Campaign, url: str, conductor: RecordingConductor
) -> None:
    ref = await company.make_recipient(campaign)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, ref.recipient_id)
        row.started_at = row.launched_at = NOON
        session.add(make_action(campaign, company, ref.recipient_id))
    member = await login(company, Role.MEMBER)

    answers = [await member.post(f"{url}/{ref.recipient_id}/mark-responded") for _ in range(2)]

    [action] = (await member.get(f"{url}/{ref.recipient_id}/actions")).json()
    stats = (await member.get(f"/api/campaigns/{campaign.id}/stats")).json()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["status"] == "responded"
    assert answers[0].json()["detail"] == "replied"
    assert action["status"] == "responded"
    assert action["response_received_at"]
    assert [(stopped, signal.reason) for stopped, signal in conductor.stops] == [
        (ref, EndReason.REPLIED)
    ]
    assert (stats["steps"][0]["sent"], stats["steps"][0]["replied"]) == (1, 1)
    assert stats["steps"][0]["rates"]["replied"] == 1
    assert stats["channels"]["email"]["replied"] == 1


async def test_a_bounce_counts_for_the_last_mail(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str
) -> None:
    ref = await company.make_recipient(campaign)
    later = {
        "step_id": campaign.step_ids[1],
        "settled_at": NOON + timedelta(days=3),
        "thread_id": "t2",
    }
    async with company.session() as session:
        session.add(make_action(campaign, company, ref.recipient_id))
        session.add(make_action(campaign, company, ref.recipient_id, **later))
    bounce = {
        "provider": "job",
        "provider_event_id": "1",
        "kind": "bounce",
        "thread_id": "t2",
        "occurred_at": NOON.isoformat(),
    }
    assert (await api.post("/api/inbound", json=bounce)).status_code == 202

    steps = (await api.get(f"/api/campaigns/{campaign.id}/stats")).json()["steps"]

    assert [step["bounced"] for step in steps] == [0, 1, 0]


async def test_what_a_removed_step_has_sent_still_counts(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str
) -> None:
    ref = await company.make_recipient(campaign)
    async with company.session() as session:
        session.add(make_action(campaign, company, ref.recipient_id))

    sequences = f"/api/campaigns/{campaign.id}/sequences"
    await api.put(f"{sequences}/2", json={"subject": "Now the first one"})
    assert (await api.delete(f"{sequences}/1")).status_code == 204

    whole = (await api.get(f"/api/campaigns/{campaign.id}")).json()
    assert whole["results"] == {"messages_sent": 1, "channels_used": {"email": 1}}
    assert [step["sent"] for step in whole["stats"]["steps"]] == [0, 0]
