"""The log of messages: what was sent to whom, in every campaign."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.db.models import ActionRow, ActionStatus
from tests.api.conftest import make_action
from tests.factories import NOON, Company

MESSAGES = "/api/messages"


@pytest.fixture
async def sent(company: Company) -> list[ActionRow]:
    """Four mails of two campaigns, each a minute after the other; the last two at once."""
    actions = []
    for number in range(4):
        campaign = await company.make_campaign()
        recipient = await company.make_recipient(campaign)
        at = NOON + timedelta(minutes=min(number, 2))
        actions.append(make_action(campaign, company, recipient.recipient_id, attempted_at=at))
    actions[0].status, actions[0].refusal = ActionStatus.REFUSED, "no such address"
    actions[1].responded_at = NOON
    async with company.session() as session:
        session.add_all(actions)
    return actions


async def ids(api: httpx.AsyncClient, **params: Any) -> list[UUID]:
    answer = await api.get(MESSAGES, params=params)
    assert answer.status_code == 200, answer.text
    return [UUID(item["id"]) for item in answer.json()["items"]]


async def test_a_line_says_what_was_sent_to_whom(
    api: httpx.AsyncClient, sent: list[ActionRow]
) -> None:
    listed = (await api.get(MESSAGES)).json()["items"]
    oldest = listed[-1]

    assert len(listed) == len(sent)
    assert oldest["id"] == str(sent[0].id)
    assert (oldest["status"], oldest["error_message"]) == ("failed", "no such address")
    assert (oldest["channel"], oldest["step_number"]) == ("email", 1)
    assert oldest["campaign_id"] == str(sent[0].campaign_id)
    lead = await api.get(f"/api/campaigns/{sent[0].campaign_id}/recipients")
    assert (oldest["lead_id"], oldest["to"]) == (
        lead.json()[0]["contact_id"],
        lead.json()[0]["email"],
    )


async def test_the_log_can_be_narrowed(api: httpx.AsyncClient, sent: list[ActionRow]) -> None:
    lead_id = (await api.get(MESSAGES)).json()["items"][-1]["lead_id"]

    assert await ids(api, status="failed") == [sent[0].id]
    assert await ids(api, status="responded") == [sent[1].id]
    assert {*await ids(api, status="sent")} == {sent[2].id, sent[3].id}
    assert await ids(api, status="scheduled") == []
    assert await ids(api, lead_id=lead_id) == [sent[0].id]
    assert await ids(api, campaign_id=sent[1].campaign_id, status="sent") == []
    assert await ids(api, campaign_id=sent[1].campaign_id) == [sent[1].id]


async def test_pages_show_each_message_once(api: httpx.AsyncClient, sent: list[ActionRow]) -> None:
    """Two were sent at the same instant."""
    found: list[str] = []
    params: dict[str, str | int] = {"limit": 1}
    for _ in range(len(sent)):
        page = (await api.get(MESSAGES, params=params)).json()
        found += [item["id"] for item in page["items"]]
        params["cursor"] = page["next_cursor"]

    assert params["cursor"] is None
    assert found == [str(id_) for id_ in await ids(api)]
    assert len({*found}) == len(sent)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "f" * 32, "é"])
async def test_a_cursor_of_ones_own_making_is_refused(api: httpx.AsyncClient, cursor: str) -> None:
    answer = await api.get(MESSAGES, params={"cursor": cursor})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"
