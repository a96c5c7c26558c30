"""Why nothing is being sent, asked of campaigns and accounts."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select, update

from shared.db.models import AccountRow, ActionRow, ActionStatus, CampaignRow, LeadRow, RecipientRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.session import Database
from shared.launching import launch_page
from tests.activities.paced import set_account, set_campaign
from tests.factories import Campaign, Company
from tests.fakes.conductor import RecordingConductor

DAY = timedelta(days=1)
Json = dict[str, Any]


async def explain(api: httpx.AsyncClient, what: str, id_: UUID) -> Json:
    answer = await api.get(f"/api/{what}/{id_}/explain")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def make_started(
    company: Company, database: Database, number: int, **of_account: Any
) -> Campaign:
    campaign = await company.make_campaign()
    if of_account:
        await set_account(company, **of_account)
    for _ in range(number):
        await company.make_recipient(campaign)
    await launch_page(database, RecordingConductor(), company.id, campaign.id)
    return campaign


async def test_a_campaign_names_who_comes_next_and_when(
    api: httpx.AsyncClient, company: Company, database: Database
) -> None:
    campaign = await make_started(company, database, 3, daily_limit=1)

    found = await explain(api, "campaigns", campaign.id)

    assert found["state"] == "planned"
    rows = [await company.recipient(UUID(found["next"]["recipient_id"]))]
    assert datetime.fromisoformat(found["next"]["at"]) == rows[0].next_at
    assert (found["next"]["step"], found["next"]["activity"]) == (1, "gmail.send")
    assert found["because"][0] == "3 are open: 3 have a plan"
    assert found["because"][1].startswith("sam@acme.test: 0 of 1 are used")
    assert found["blocked_by"] == []


async def test_who_finds_no_room_is_explained(
    api: httpx.AsyncClient, company: Company, database: Database
) -> None:
    campaign = await make_started(company, database, 6, daily_limit=1)

    found = await explain(api, "campaigns", campaign.id)

    assert found["because"][0] == "6 are open: 4 have a plan, 2 are not started yet"
    assert any("three days ahead at most" in reason for reason in found["because"])


async def test_a_pause_is_what_blocks(
    api: httpx.AsyncClient, company: Company, database: Database
) -> None:
    campaign = await make_started(company, database, 1)
    await set_campaign(company, campaign, status=CampaignStatus.PAUSED)

    found = await explain(api, "campaigns", campaign.id)

    assert found["blocked_by"] == ["campaign is paused"]
    assert found["next"] is None


async def test_who_is_held_is_counted_by_reason(
    api: httpx.AsyncClient, company: Company, database: Database
) -> None:
    campaign = await make_started(company, database, 2)
    now = datetime.now(UTC)
    held = {"parked_at": now, "hold_reason": "a person has this step to do"}
    async with company.session() as session:
        await session.execute(update(RecipientRow).values(**held))

    found = await explain(api, "campaigns", campaign.id)

    assert found["state"] == "parked"
    assert found["blocked_by"] == ["2 are held: a person has this step to do"]


async def test_a_draft_says_that_it_is_one(api: httpx.AsyncClient, company: Company) -> None:
    campaign = await company.make_campaign()
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        row.status = CampaignStatus.DRAFT

    found = await explain(api, "campaigns", campaign.id)

    assert found["blocked_by"] == ["campaign is not active"]
    assert found["because"] == ["nobody is in it yet"]


async def test_an_account_says_what_is_used_and_when_there_is_room(
    api: httpx.AsyncClient, company: Company, database: Database
) -> None:
    campaign = await make_started(company, database, 3, daily_limit=2)
    done_at = datetime.now(UTC) - timedelta(hours=1)
    async with company.session() as session:
        rows = list(await session.scalars(select(RecipientRow.id).limit(2)))
        version_id = (await session.get_one(CampaignRow, campaign.id)).version_id
        session.add_all(
            ActionRow(
                recipient_id=id_,
                campaign_id=campaign.id,
                step_id=campaign.step_ids[0],
                account_id=company.account_id,
                version_id=version_id,
                status=ActionStatus.SENT,
                planned_at=done_at,
                attempted_at=done_at,
                settled_at=done_at,
            )
            for id_ in rows
        )

    found = await explain(api, "accounts", company.account_id)

    [limit] = found["limits"]
    assert (limit["limit"], limit["used"], limit["most"]) == ("the account's 2 a day", 2, 2)
    assert datetime.fromisoformat(limit["free_at"]) - done_at - DAY < timedelta(seconds=1)
    assert found["because"][0] == "3 wait for it: 3 have a plan"
    assert "2 of 2 are used" in found["because"][1]


async def test_an_account_that_needs_attention_says_why(
    api: httpx.AsyncClient, company: Company, database: Database
) -> None:
    await make_started(company, database, 1)
    until = datetime.now(UTC) + DAY
    await set_account(
        company,
        status="needs_attention",
        status_reason="9 of 100 mails bounced",
        blocked_until=until,
        block_reason="Gmail does not answer",
    )

    account = await explain(api, "accounts", company.account_id)
    assert account["blocked_by"][0] == "account needs attention: 9 of 100 mails bounced"
    assert "Gmail does not answer" in account["blocked_by"][1]
    async with company.session() as session:
        row = await session.get_one(AccountRow, company.account_id)
        assert row.status == "needs_attention"


async def test_whatever_is_named_is_found(
    api: httpx.AsyncClient, company: Company, database: Database
) -> None:
    campaign = await make_started(company, database, 1)
    async with company.session() as session:
        [recipient_id] = await session.scalars(select(RecipientRow.id))
        [email] = await session.scalars(select(LeadRow.email))

    async def kinds(of: str) -> list[tuple[str, str]]:
        answer = await api.get("/api/explain", params={"of": of})
        return [(one["kind"], one["id"]) for one in answer.json()["explained"]]

    assert email is not None
    assert await kinds(email.upper()) == [("recipient", str(recipient_id))]
    assert await kinds(str(recipient_id)) == [("recipient", str(recipient_id))]
    assert await kinds("Spring") == [("campaign", str(campaign.id))]
    assert await kinds("sam@acme.test") == [("account", str(company.account_id))]
    assert await kinds("nobody@example.test") == []
    answer = await api.get("/api/explain", params={"of": email})
    [found] = answer.json()["explained"]
    assert found["next"]["step"] == 1
    assert found["name"] == f"{email} in Spring"
