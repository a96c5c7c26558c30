"""A company may want that a reply, in whichever channel, holds everybody who works with them."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.contracts.recipient import RecipientRef
from shared.db.models import RecipientRow
from shared.domain.channels import Channel
from shared.domain.recipient import EndReason, HoldReason, Parked
from tests.api.acting import Workers
from tests.factories import NOON, Company
from tests.fakes.gmail import FakeGmail

PROFILE = "https://www.linkedin.com/in/"


async def start(company: Company, name: str, *channels: Channel) -> RecipientRef:
    """Somebody of the same company as the others, whose first step is due."""
    campaign = await company.make_campaign(
        waits=[0] * len(channels), channels=channels, options={"by_hand": "email" not in channels}
    )
    lead_id: UUID = await company.make_lead(
        email=f"{name}@lead-{company.id}.test",
        linkedin_url=f"{PROFILE}{name}",
        phone="+33123456789",
    )
    recipient = await company.make_recipient(campaign, lead_id=lead_id)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, recipient.recipient_id)
        row.started_at = row.launched_at = NOON
    return recipient


async def ask_for_it(api: httpx.AsyncClient, company: Company) -> None:
    changed = await api.put(f"/api/companies/{company.id}", json={"reply_holds_colleagues": True})
    assert changed.json()["reply_holds_colleagues"] is True


async def hear(api: httpx.AsyncClient, company: Company, name: str, **more: Any) -> None:
    report = {
        "provider": "linkedin-job",
        "provider_event_id": name,
        "kind": "reply",
        "address": f"{name}@lead-{company.id}.test",
        "occurred_at": "2026-03-02T12:30:00Z",
        **more,
    }
    assert (await api.post("/api/inbound", json=report)).status_code == 202


@pytest.mark.parametrize(
    "channel", [Channel.EMAIL, Channel.LINKEDIN_CONNECTION, Channel.CALL, Channel.TASK]
)
async def test_a_reply_on_linkedin_holds_a_colleague_in_every_channel(
    *,
    api: httpx.AsyncClient,
    company: Company,
    workers: Workers,
    gmail: FakeGmail,
    channel: Channel,
) -> None:
    await ask_for_it(api, company)
    ada = await start(company, "ada", Channel.LINKEDIN_MESSAGE)
    bob = await start(company, "bob", channel)
    await workers.go_on(ada.recipient_id)

    await hear(api, company, "ada")

    assert (await company.recipient(ada.recipient_id)).end_reason is EndReason.REPLIED
    assert await workers.go_on(bob.recipient_id) == Parked(reason=HoldReason.RECIPIENT_PAUSED)
    assert gmail.sent == []
    todos = (await api.get("/api/todos", params={"status": "open"})).json()["items"]
    assert todos == []


async def test_a_colleagues_todo_that_is_open_says_to_let_it_be(
    api: httpx.AsyncClient, company: Company, workers: Workers
) -> None:
    await ask_for_it(api, company)
    ada = await start(company, "ada", Channel.TASK)
    bob = await start(company, "bob", Channel.LINKEDIN_MESSAGE)
    for recipient in (ada, bob):
        await workers.go_on(recipient.recipient_id)

    await hear(api, company, "ada")

    items = (await api.get("/api/todos")).json()["items"]
    found = {todo["recipient_id"]: (todo["status"], todo["is_held"]) for todo in items}
    assert found[str(ada.recipient_id)] == ("cancelled", False)
    assert found[str(bob.recipient_id)] == ("open", True)


async def test_unless_the_company_asks_for_it_colleagues_go_on(
    api: httpx.AsyncClient, company: Company, workers: Workers, gmail: FakeGmail
) -> None:
    ada = await start(company, "ada", Channel.TASK)
    bob = await start(company, "bob", Channel.EMAIL)
    await workers.go_on(ada.recipient_id)
    await hear(api, company, "ada")
    await workers.go_on(bob.recipient_id)
    assert len(gmail.sent) == 1
