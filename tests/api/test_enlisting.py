"""Many leads at once: by their ids or by what they have in common."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text, update
from uuid_utils.compat import uuid7

from deploy.local.postgres import Postgres
from shared.db.models import LeadRow
from shared.db.session import Database
from shared.keyring import Keyring
from tests.api.conftest import make_action
from tests.factories import Campaign, Company
from tests.fakes.conductor import RecordingConductor
from tests.planner import count_rows, rows_read

Json = dict[str, Any]

_LEADS = text("""
insert into leads (email, first_name, industry, fit_score, suppression_keys)
select 'lead-' || n || '@example.test', 'Ada', 'software', n % 100,
  array[decode(md5(n::text), 'hex')]
from generate_series(:start, :start + :number - 1) n
""")
MANY, FEW_TIMES = 5_000, 100
_TAKEN_IN = text("insert into recipients (campaign_id, lead_id) select :campaign_id, id from leads")


async def make_leads(company: Company, number: int, *, start: int = 1) -> None:
    async with company.session() as session:
        await session.execute(_LEADS, {"start": start, "number": number})


async def test_a_filter_names_those_who_match_all_of_it(
    api: httpx.AsyncClient, company: Company, url: str
) -> None:
    fitting = {"seniority": "Director", "role": "CTO", "industry": "Software", "fit_score": 80}
    matched = []
    for change in ({}, {"fit_score": 100}, {"fit_score": 79}, {"role": "CEO"}, {"industry": None}):
        lead = LeadRow(id=uuid7(), email=f"{uuid7()}@example.test", **(fitting | change))
        async with company.session() as session:
            session.add(lead)
        matched.append(str(lead.id))
    asked = {"seniority": "director", "role": "CTO", "industry": "software", "fit_score_min": 80}

    answer = await api.post(url, json={"filter": asked})
    everybody = await api.post(url, json={"filter": {}})

    assert answer.status_code == 201, answer.text
    assert [one["contact_id"] for one in answer.json()["recipients"]] == matched[:2]
    assert (answer.json()["added"], answer.json()["task_id"]) == (2, None)
    assert (everybody.json()["added"], everybody.json()["already"]) == (3, 2)


async def test_a_filter_with_a_typing_error_is_refused(api: httpx.AsyncClient, url: str) -> None:
    answer = await api.post(url, json={"filter": {"fit_scores_min": 80}})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "filter.fit_scores_min"


async def test_what_cannot_be_listed_is_read_at_the_task(
    api: httpx.AsyncClient, company: Company, url: str, conductor: RecordingConductor
) -> None:
    await make_leads(company, 700)
    async with company.session() as session:
        await session.execute(update(LeadRow).where(LeadRow.fit_score < 10).values(email=None))

    answer = (await api.post(url, json={"filter": {"industry": "software"}})).json()

    task = (await api.get(f"/api/tasks/{answer['task_id']}")).json()
    refused = (await api.get(task["result_url"])).text.splitlines()
    assert (answer["added"], answer["already"], answer["refused_count"]) == (630, 0, 70)
    assert (len(answer["recipients"]), len(answer["refused"])) == (500, 70)
    assert (task["kind"], task["status"], task["total"]) == ("launch", "completed", 700)
    assert (task["added"], task["already"], task["refused"]) == (630, 0, 70)
    assert len(refused) == 1 + 70
    assert len(conductor.launches) == 1
    listed = {one["id"] for one in (await api.get(url)).json()}
    assert {one["id"] for one in answer["recipients"]} < listed
    assert len(listed) == 630


async def test_a_company_may_want_one_campaign_at_a_time(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str
) -> None:
    lead, other = [str(await company.make_lead()) for _ in range(2)]
    await api.post(url, json={"contact_id": lead})
    second = f"/api/campaigns/{(await company.make_campaign()).id}/recipients"
    third = f"/api/campaigns/{(await company.make_campaign()).id}/recipients"

    allowed = (await api.post(second, json={"contact_ids": [lead]})).json()
    await api.delete(f"{second}/{allowed['recipients'][0]['id']}")
    settings = {"one_campaign_at_a_time": True}
    changed = await api.put(f"/api/companies/{company.id}", json=settings)
    refused = (await api.post(third, json={"contact_ids": [lead, other]})).json()
    await api.post(f"/api/campaigns/{campaign.id}/complete")
    afterwards = (await api.post(third, json={"contact_ids": [lead]})).json()

    assert allowed["added"] == 1
    assert changed.json()["one_campaign_at_a_time"] is True
    assert refused["refused"] == [{"contact_id": lead, "reason": "active in another campaign"}]
    assert (refused["added"], afterwards["added"]) == (1, 1)


async def test_the_first_step_says_which_address_is_needed(
    api: httpx.AsyncClient, company: Company
) -> None:
    lead = str(await company.make_lead())
    made = await api.post("/api/campaigns", json={"name": "Calls", "type": "call"})

    answer = await api.post(
        f"/api/campaigns/{made.json()['id']}/recipients", json={"contact_ids": [lead]}
    )

    assert answer.json()["refused"] == [{"contact_id": lead, "reason": "no phone"}]


async def test_who_was_written_to_and_removed_is_not_taken_in_again(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str
) -> None:
    lead = str(await company.make_lead())
    one = (await api.post(url, json={"contact_id": lead})).json()
    async with company.session() as session:
        session.add(make_action(campaign, company, one["id"]))
    await api.delete(f"{url}/{one['id']}")

    answer = (await api.post(url, json={"filter": {}})).json()

    assert answer["refused"] == [{"contact_id": lead, "reason": "already_contacted"}]


@pytest.mark.timeout(240)
async def test_a_hundred_thousand_are_added_in_one_request(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str, postgres: Postgres
) -> None:
    await count_rows(postgres)
    await make_leads(company, 100_000)
    async with company.session() as session:
        await session.execute(text("set local statement_timeout = 0"))
        ids = [str(id_) for id_ in await session.scalars(text("select id from leads"))]

    by_filter = await api.post(url, json={"filter": {"industry": "software"}})
    by_ids = await api.post(url, json={"contact_ids": ids})

    stats = (await api.get(f"/api/campaigns/{campaign.id}/stats")).json()
    assert by_filter.json()["added"] == stats["total_recipients"] == 100_000
    assert (by_ids.json()["added"], by_ids.json()["already"]) == (0, 100_000)


# Whatever the planner thinks, each lead is read a few times, and not all of them for each.
async def test_a_company_that_has_all_the_rows_does_not_make_it_slow_for_another(
    api: httpx.AsyncClient,
    company: Company,
    database: Database,
    keyring: Keyring,
    url: str,
    postgres: Postgres,
) -> None:
    """Then a new one's look as few as to be found by any index."""
    other = await Company.make(database, keyring)
    await make_leads(other, MANY)
    everybody = {"campaign_id": (await other.make_campaign()).id}
    async with other.session() as session:
        await session.execute(_TAKEN_IN, everybody)
    await count_rows(postgres)
    await make_leads(company, MANY)

    before = await rows_read(database)
    answer = await api.post(url, json={"filter": {"industry": "software"}})

    assert answer.json()["added"] == MANY
    assert await rows_read(database) - before < FEW_TIMES * MANY


async def test_companies_of_one_lead_each_do_not_make_it_slow_for_another(
    api: httpx.AsyncClient,
    company: Company,
    database: Database,
    keyring: Keyring,
    url: str,
    postgres: Postgres,
) -> None:
    """Then any index that begins with the company looks as good as the key."""
    for _ in range(20):
        await (await Company.make(database, keyring)).make_lead()
    await count_rows(postgres)
    await make_leads(company, MANY)

    before = await rows_read(database)
    answer = await api.post(url, json={"filter": {"industry": "software"}})

    assert answer.json()["added"] == MANY
    assert await rows_read(database) - before < FEW_TIMES * MANY
