"""Every write that somebody asks for is in the log, with who, what, before and after."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text

from shared.db.models import AuditRow, CampaignRow, Role
from tests.api.conftest import Login
from tests.db.tenants import FENCED
from tests.factories import Campaign, Company

Json = dict[str, Any]


@pytest.fixture
def audit(company: Company) -> str:
    return f"/api/companies/{company.id}/audit"


async def log_of(api: httpx.AsyncClient, audit: str, subject: str) -> list[Json]:
    answer = await api.get(audit, params={"subject": subject})
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["items"]
    return found


async def test_a_change_says_who_and_what_was_before(
    api: httpx.AsyncClient, company: Company, audit: str
) -> None:
    made = await api.post("/api/campaigns", json={"name": "Spring", "type": "email"})
    await api.put(f"/api/campaigns/{made.json()['id']}", json={"name": "Summer"})

    changed, created = await log_of(api, audit, "campaigns")

    assert (created["action"], created["subject_id"]) == ("created", made.json()["id"])
    assert created["before"] is None
    assert created["after"]["name"] == "Spring"
    assert (changed["action"], changed["user_id"]) == ("changed", str(company.user_id))
    assert (changed["before"], changed["after"]) == ({"name": "Spring"}, {"name": "Summer"})


async def test_a_change_of_nothing_is_none(api: httpx.AsyncClient, audit: str) -> None:
    made = await api.post("/api/campaigns", json={"name": "Spring", "type": "email"})
    await api.put(f"/api/campaigns/{made.json()['id']}", json={"name": "Spring"})

    assert len(await log_of(api, audit, "campaigns")) == 1


async def test_what_is_kept_twice_is_logged_once(
    api: httpx.AsyncClient, company: Company, audit: str
) -> None:
    leads = f"/api/companies/{company.id}/leads"
    made = await api.post(leads, json={"email": "ada@example.com", "city": "Paris"})
    await api.put(f"{leads}/{made.json()['id']}", json={"city": "Rome"})

    changed, created = await log_of(api, audit, "leads")

    assert (changed["before"], changed["after"]) == ({"city": "Paris"}, {"city": "Rome"})
    assert created["after"]["city"] == "Paris"
    assert [name for name in created["after"] if name.endswith("_folded")] == []


async def test_secrets_are_masked(api: httpx.AsyncClient, company: Company, audit: str) -> None:
    keys = f"/api/companies/{company.id}/api-keys"
    made = (await api.post(keys, json={"name": "nightly", "scopes": ["write"]})).json()

    [created] = await log_of(api, audit, "api_keys")

    assert created["after"]["key_hash"] == "***"
    assert created["after"]["name"] == "nightly"
    assert made["key"] not in str(created)


async def test_a_key_is_named_as_who_did_it(
    api: httpx.AsyncClient, anybody: httpx.AsyncClient, company: Company, audit: str
) -> None:
    keys = f"/api/companies/{company.id}/api-keys"
    made = (await api.post(keys, json={"name": "nightly", "scopes": ["write"]})).json()
    await anybody.post(
        "/api/campaigns",
        json={"name": "Spring", "type": "email"},
        headers={"X-Api-Key": made["key"]},
    )

    [created] = await log_of(api, audit, "campaigns")

    assert (created["key_id"], created["user_id"]) == (made["id"], None)


async def test_what_people_do_to_recipients_is_there(
    api: httpx.AsyncClient, company: Company, url: str, campaign: Campaign, audit: str
) -> None:
    leads = [str(await company.make_lead()) for _ in range(3)]
    await api.post(url, json={"contact_ids": leads[:2]})
    added = await api.post(url, json={"contact_id": leads[2]})
    one = f"{url}/{added.json()['id']}"
    await api.post(f"{one}/pause")
    await api.delete(one)

    removed, paused, single, both = await log_of(api, audit, "recipients")

    assert both["after"] == {"campaign_id": str(campaign.id), "count": 2}
    assert both["subject_id"] is None
    assert (single["subject_id"], single["action"]) == (added.json()["id"], "created")
    assert paused["before"] == {"paused_at": None}
    assert removed["action"] in {"deleted", "changed"}


async def test_what_workers_write_is_not(company: Company) -> None:
    campaign = await company.make_campaign()
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        row.name = "by a worker"

    async with company.session() as session:
        assert await session.scalar(select(func.count()).select_from(AuditRow)) == 0


async def test_a_write_that_fails_leaves_no_line(api: httpx.AsyncClient, audit: str) -> None:
    await api.post("/api/campaigns", json={"name": "A", "type": "email", "account_ids": ["x"]})

    assert await log_of(api, audit, "campaigns") == []


async def test_the_log_comes_in_pages_and_for_admins_only(
    api: httpx.AsyncClient, login: Login, company: Company, audit: str
) -> None:
    for name in "ABC":
        await api.post("/api/campaigns", json={"name": name, "type": "email"})

    first = (await api.get(audit, params={"limit": 2, "subject": "campaigns"})).json()
    params = {"limit": 2, "subject": "campaigns", "cursor": first["next_cursor"]}
    rest = (await api.get(audit, params=params)).json()

    names = [it["after"]["name"] for it in first["items"] + rest["items"]]
    assert (names, rest["next_cursor"]) == (["C", "B", "A"], None)
    director = await login(company, Role.DIRECTOR)
    assert (await director.get(audit)).status_code == 403


# Whatever people write is in the log. These are written by the machine, hold secrets alone, or are
# a log themselves.
NOT_AUDITED = {
    "account_tokens",
    "actions",
    "audit_log",
    "bland_logins",
    "calls",
    "campaign_counters",
    "campaign_starts",
    "events",
    "inbound_events",
    "linkedin_accounts",
    "mail_logins",
    "refused_rows",
    "rehearsals",
    "step_counters",
    "tracking_events",
    "versions",
    "wakings",
    "webhook_deliveries",
}


async def test_every_table_that_people_write_is_audited(company: Company) -> None:
    """Put `audit(table)` of shared/db/fences.py into the migration of a new one."""
    triggers = text(
        "select relname from pg_trigger join pg_class c on c.oid = tgrelid"
        " where tgname = 'record_change'"
    )
    async with company.session() as session:
        found = set(await session.scalars(triggers))

    assert found == set(FENCED) - NOT_AUDITED
