"""A campaign in one go, its accounts, and what is not available yet."""

from collections import Counter
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from shared.db.models import AccountRow, CampaignRow, LeadRow, RecipientRow, Role
from shared.db.models.accounts import AccountStatus
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.launching import launch_page
from tests.api.conftest import Login
from tests.factories import Campaign, Company
from tests.fakes.conductor import RecordingConductor

Json = dict[str, Any]


async def make_draft(api: httpx.AsyncClient, company: Company, **more: object) -> Json:
    body = {"name": "Spring", "type": "email", "template": "Hello {{ lead.first_name }}", **more}
    answer = await api.post(f"/api/companies/{company.id}/campaigns", json=body)
    assert answer.status_code == 201, answer.text
    campaign: Json = answer.json()
    return campaign


async def test_a_template_makes_the_first_step(api: httpx.AsyncClient, company: Company) -> None:
    campaign = await make_draft(api, company)

    [step] = (await api.get(f"/api/campaigns/{campaign['id']}/sequences")).json()

    assert (step["step_number"], step["channel"], step["delay_days"]) == (1, "email", 0)
    assert (step["subject"], step["message_template"]) == ("Spring", "Hello {{ lead.first_name }}")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"template": "{{ lead."}, "template"),
        ({"script": "Hello"}, "body"),
        ({"type": "call", "template": "Hello"}, "body"),
        ({"dry_run": 3}, "dry_run"),
        ({"stop_rules": {"rain": True}}, "stop_rules.rain"),
    ],
)
async def test_what_is_not_available_is_refused_with_words(
    api: httpx.AsyncClient, company: Company, more: Json, field: str
) -> None:
    body = {"name": "Spring", "type": "email", **more}

    answer = await api.post(f"/api/companies/{company.id}/campaigns", json=body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert answer.json()["detail"]


async def test_what_is_off_anyway_is_accepted(api: httpx.AsyncClient, company: Company) -> None:
    off: Json = {"dry_run": False, "track_opens": None, "window": {}, "limits": []}

    assert await make_draft(api, company, **off)


async def test_a_run_reaches_every_lead_with_an_address(
    api: httpx.AsyncClient, company: Company, conductor: RecordingConductor
) -> None:
    leads = [await company.make_lead() for _ in range(3)]
    async with company.session() as session:
        session.add(LeadRow(name="Ada without an address"))
    campaign = await make_draft(api, company)

    answer = await api.post(f"/api/campaigns/{campaign['id']}/run")
    again = await api.post(f"/api/campaigns/{campaign['id']}/run")

    assert answer.status_code == again.status_code == 202, answer.text
    tasks = [
        (await api.get(f"/api/tasks/{one.json()['task_id']}")).json() for one in (answer, again)
    ]
    assert [task["kind"] for task in tasks] == ["run", "run"]
    assert {task["status"] for task in tasks} == {"completed"}
    assert [(task["added"], task["already"], task["refused"]) for task in tasks] == [
        (3, 0, 1),
        (0, 3, 1),
    ]
    assert tasks[0]["errors"][0]["message"].endswith("no email")
    refused = (await api.get(tasks[0]["result_url"])).text.splitlines()
    assert refused[1].startswith("1,no email,")
    running = (await api.get(f"/api/campaigns/{campaign['id']}")).json()
    assert (running["status"], running["stats"]["total_recipients"]) == ("active", len(leads))
    assert len(conductor.launches) == 2


async def test_a_run_may_name_its_leads(api: httpx.AsyncClient, company: Company) -> None:
    wanted, _ = [str(await company.make_lead()) for _ in range(2)]
    campaign = await make_draft(api, company)
    url = f"/api/campaigns/{campaign['id']}"

    answer = await api.post(f"{url}/run", json={"lead_ids": [wanted]})

    assert answer.status_code == 202
    recipients = (await api.get(f"{url}/recipients")).json()
    assert [one["contact_id"] for one in recipients] == [wanted]


@pytest.mark.parametrize("what", ["no account", "a sick account", "no content", "completed"])
async def test_a_run_without_the_means_changes_nothing(
    api: httpx.AsyncClient, company: Company, what: str
) -> None:
    more = {"template": None} if what == "no content" else {}
    campaign = await make_draft(api, company, **more)
    url = f"/api/campaigns/{campaign['id']}"
    await company.make_lead()
    async with company.session() as session:
        if what == "no account":
            gone = {"status": AccountStatus.DISCONNECTED, "is_primary": False}
            await session.execute(update(AccountRow).values(gone))
        if what == "a sick account":
            await session.execute(update(AccountRow).values(status=AccountStatus.NEEDS_ATTENTION))
        if what == "completed":
            await session.execute(update(CampaignRow).values(status="completed"))

    answer = await api.post(f"{url}/run")

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith(
        {"no content": "no content", "completed": "The campaign is completed"}.get(
            what, "No credentials"
        )
    )
    assert (await api.get(f"{url}/recipients")).json() == []


async def test_several_accounts_share_the_recipients_evenly(
    api: httpx.AsyncClient, company: Company, database: Database, conductor: RecordingConductor
) -> None:
    second = AccountRow(
        id=uuid7(), user_id=company.user_id, kind=AccountKind.GMAIL, email="kim@acme.test"
    )
    async with company.session() as session:
        session.add(second)
    both = [str(second.id), str(company.account_id)]
    campaign = await make_draft(api, company, account_ids=[*both, both[0]])
    leads = [str(await company.make_lead()) for _ in range(8)]
    await api.post(f"/api/campaigns/{campaign['id']}/run", json={"lead_ids": leads})

    await launch_page(database, conductor, company.id, UUID(campaign["id"]), size=200)

    async with company.session() as session:
        used = Counter(await session.scalars(select(RecipientRow.account_id)))
    assert campaign["account_ids"] == both
    assert used == {second.id: 4, company.account_id: 4}
    assert Counter(start.account_id for start in conductor.started) == used


async def test_an_account_that_is_not_there_is_named(
    api: httpx.AsyncClient, company: Company
) -> None:
    body = {"name": "x", "type": "email", "account_ids": [str(company.account_id), str(uuid7())]}

    answer = await api.post("/api/campaigns", json=body)

    assert [error["field"] for error in answer.json()["errors"]] == ["account_ids.1"]


async def test_an_archived_campaign_is_put_aside_until_it_is_activated(
    api: httpx.AsyncClient, company: Company, campaign: Campaign
) -> None:
    url = f"/api/campaigns/{campaign.id}"
    active = await api.post(f"{url}/archive")
    await api.post(f"{url}/pause")
    archived = [(await api.post(f"{url}/archive")).json()["archived_at"] for _ in range(2)]
    again = await api.post(f"{url}/activate")

    assert active.status_code == 409
    assert archived[0]
    assert archived[0] == archived[1]
    assert again.json()["archived_at"] is None


async def test_members_neither_run_nor_steer(
    login: Login, company: Company, campaign: Campaign
) -> None:
    member = await login(company, Role.MEMBER)
    one = f"recipients/{(await company.make_recipient(campaign)).recipient_id}"

    for verb in (
        "run",
        "archive",
        "execute-next",
        "recount",
        f"{one}/skip-step",
        f"{one}/send-now",
    ):
        assert (await member.post(f"/api/campaigns/{campaign.id}/{verb}")).status_code == 403
