"""Campaigns: made, changed, brought to run, stopped."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from shared.contracts.operations import LaunchOrder
from shared.db.models import AccountRow, CampaignRow, RecipientRow, VersionRow
from shared.db.models.accounts import AccountStatus
from shared.db.session import Database
from shared.domain.recipient import EndReason, HoldReason
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.wakings import tell_everybody

Json = dict[str, Any]
FRONTEND_FIELDS = {"id", "name", "type", "status", "created_by", "created_at", "updated_at"}
STATS_FIELDS = {"total_recipients", "pending", "in_progress", "completed", "responded", "failed"}


async def make_campaign(api: httpx.AsyncClient, *, steps: int = 1) -> str:
    """A draft with mails."""
    made = await api.post("/api/campaigns", json={"name": "Spring", "type": "email"})
    url = f"/api/campaigns/{made.json()['id']}"
    for number in range(steps):
        body = {"channel": "email", "subject": f"Mail {number}", "message_template": "Hello"}
        answer = await api.post(f"{url}/sequences", json=body)
        assert answer.status_code == 201, answer.text
    return url


async def test_a_campaign_has_the_fields_that_frontends_expect(
    api: httpx.AsyncClient, company: Company
) -> None:
    made = await api.post("/api/campaigns", json={"name": "Spring", "type": "email"})
    [listed] = (await api.get("/api/campaigns")).json()
    whole = (await api.get(f"/api/campaigns/{made.json()['id']}")).json()

    assert made.status_code == 201
    assert made.json() == listed
    assert FRONTEND_FIELDS | {"stats"} <= listed.keys()
    assert listed["stats"] == dict.fromkeys(STATS_FIELDS, 0)
    assert (listed["status"], listed["created_by"]) == ("draft", str(company.user_id))
    assert FRONTEND_FIELDS | {"sequences", "stats", "results"} <= whole.keys()


async def test_a_campaign_that_was_read_may_be_sent_back(api: httpx.AsyncClient) -> None:
    url = await make_campaign(api)
    read = (await api.get(url)).json()

    changed = await api.put(url, json=read | {"name": "Summer", "status": "completed"})

    assert changed.status_code == 200, changed.text
    assert (changed.json()["name"], changed.json()["status"]) == ("Summer", "draft")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"type": "email"}, "name", id="no name"),
        pytest.param({"name": "Spring", "type": "fax"}, "type", id="an unknown type"),
        pytest.param({"name": "Spring", "type": "email", "dry_run": 3}, "dry_run", id="no flag"),
        pytest.param(
            {"name": "Spring", "type": "email", "account_ids": ["a"]}, "account_ids.0", id="no id"
        ),
    ],
)
async def test_a_wrong_campaign_names_the_field(
    api: httpx.AsyncClient, body: Json, field: str
) -> None:
    answer = await api.post("/api/campaigns", json=body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_switched_off_options_of_later_are_accepted(api: httpx.AsyncClient) -> None:
    off = {"draft_edits": False, "dry_run": False, "product_id": None}

    answer = await api.post("/api/campaigns", json={"name": "Spring", "type": "email", **off})

    assert answer.status_code == 201, answer.text


async def test_an_account_of_another_company_is_not_there(
    api: httpx.AsyncClient, stranger: Company
) -> None:
    body = {"name": "Spring", "type": "email", "account_ids": [str(stranger.account_id)]}

    answer = await api.post("/api/campaigns", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "account_ids.0"


async def test_the_list_is_whole_or_in_pages(api: httpx.AsyncClient) -> None:
    for number in range(3):
        await api.post("/api/campaigns", json={"name": f"C{number}", "type": "email"})

    whole = await api.get("/api/campaigns")
    first = await api.get("/api/campaigns", params={"limit": "2"})
    rest = await api.get(first.links["next"]["url"])

    assert [campaign["name"] for campaign in whole.json()] == ["C2", "C1", "C0"]
    assert "Link" not in whole.headers
    assert first.json() + rest.json() == whole.json()
    assert "Link" not in rest.headers


async def test_activate_lists_everything_that_is_missing(
    api: httpx.AsyncClient, company: Company, conductor: RecordingConductor
) -> None:
    async with company.session() as session:
        await session.execute(update(AccountRow).values(status=AccountStatus.DISCONNECTED))
    url = await make_campaign(api, steps=0)

    answer = await api.post(f"{url}/activate")

    problem = answer.json()
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(problem["missing"]) == 2
    assert "account" in problem["missing"][0]
    assert "steps" in problem["missing"][1]
    assert (await api.get(url)).json()["status"] == "draft"
    assert conductor.launches == []


async def test_activate_names_a_sick_account_and_a_missing_subject(
    api: httpx.AsyncClient, company: Company
) -> None:
    async with company.session() as session:
        sick = {"status": AccountStatus.NEEDS_ATTENTION, "status_reason": "the password changed"}
        await session.execute(update(AccountRow).values(**sick))
    url = await make_campaign(api, steps=0)
    await api.post(f"{url}/sequences", json={"channel": "email", "message_template": "Hi"})

    problem = (await api.post(f"{url}/activate")).json()

    assert "the password changed" in problem["missing"][0]
    assert "subject" in problem["missing"][1]


async def test_activate_publishes_version_1_and_launches(
    api: httpx.AsyncClient, company: Company, conductor: RecordingConductor
) -> None:
    url = await make_campaign(api, steps=2)

    answers = [await api.post(f"{url}/activate") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["status"] == "active"
    async with company.session() as session:
        campaign = await session.scalar(select(CampaignRow))
        [version] = (await session.scalars(select(VersionRow))).all()
    assert campaign is not None
    assert (campaign.version_id, version.number, len(version.steps)) == (version.id, 1, 2)
    assert campaign.account_id == company.account_id
    order = LaunchOrder(company_id=company.id, campaign_id=campaign.id)
    assert conductor.launches[0] == order


async def test_pause_is_a_row_and_resume_wakes_the_parked(
    api: httpx.AsyncClient, company: Company, conductor: RecordingConductor, database: Database
) -> None:
    campaign = await company.make_campaign()
    parked, going = [await company.make_recipient(campaign) for _ in range(2)]
    async with company.session() as session:
        for ref in (parked, going):
            row = await session.get_one(RecipientRow, ref.recipient_id)
            row.started_at = row.launched_at = NOON
            row.parked_at = NOON if ref is parked else None
            row.hold_reason = HoldReason.CAMPAIGN_PAUSED if ref is parked else None
    url = f"/api/campaigns/{campaign.id}"

    paused = await api.post(f"{url}/pause")
    told_by_pause = (list(conductor.wakings), list(conductor.launches))
    resumed = [await api.post(f"{url}/{verb}") for verb in ("resume", "resume")]
    assert conductor.wakes == []
    await tell_everybody(database, conductor)

    assert paused.json()["status"] == "paused"
    assert told_by_pause == ([], [])
    assert [answer.json()["status"] for answer in resumed] == ["active", "active"]
    assert {ref for ref, _ in conductor.wakes} == {parked}
    assert len(conductor.launches) == 2


async def test_activate_goes_on_after_a_pause(
    api: httpx.AsyncClient, company: Company, conductor: RecordingConductor
) -> None:
    url = f"/api/campaigns/{(await company.make_campaign()).id}"
    await api.post(f"{url}/pause")

    answer = await api.post(f"{url}/activate")

    assert answer.json()["status"] == "active"
    async with company.session() as session:
        assert len((await session.scalars(select(VersionRow))).all()) == 1


@pytest.mark.parametrize("verb", ["pause", "resume", "complete"])
async def test_a_draft_cannot(api: httpx.AsyncClient, verb: str) -> None:
    url = await make_campaign(api)

    answer = await api.post(f"{url}/{verb}")

    assert answer.status_code == 409
    assert verb in answer.json()["detail"]


@pytest.mark.parametrize("verb", ["complete", "delete"])
async def test_the_end_of_a_campaign_ends_everybody_inside(
    api: httpx.AsyncClient, company: Company, conductor: RecordingConductor, verb: str
) -> None:
    campaign = await company.make_campaign()
    running, pending, replied = [await company.make_recipient(campaign) for _ in range(3)]
    async with company.session() as session:
        row = await session.get_one(RecipientRow, running.recipient_id)
        row.started_at = row.launched_at = NOON
        row = await session.get_one(RecipientRow, replied.recipient_id)
        row.started_at = row.launched_at = row.ended_at = row.closed_at = NOON
        row.end_reason = EndReason.REPLIED
    url = f"/api/campaigns/{campaign.id}"

    if verb == "delete":
        answers = [await api.delete(url), await api.delete(url)]
        assert [answer.status_code for answer in answers] == [204, 404]
    else:
        answers = [await api.post(f"{url}/complete") for _ in range(2)]
        assert [answer.json()["status"] for answer in answers] == ["completed", "completed"]

    ended = [await company.recipient(ref.recipient_id) for ref in (running, pending, replied)]
    reasons = [EndReason.CAMPAIGN_ENDED, EndReason.CAMPAIGN_ENDED, EndReason.REPLIED]
    assert [row.end_reason for row in ended] == reasons
    # The pending one has no workflow to tell, the running one is due for the sweeper.
    assert (ended[1].closed_at is not None, ended[1].next_at) == (True, None)
    assert (ended[0].closed_at, ended[0].next_at is not None) == (None, True)
    assert {ref for ref, _ in conductor.stops} == {running}


async def test_nothing_fails_while_temporal_is_away(
    api: httpx.AsyncClient, company: Company, conductor: RecordingConductor
) -> None:
    url = await make_campaign(api)
    conductor.is_down = True

    answer = await api.post(f"{url}/activate")

    assert (answer.status_code, answer.json()["status"]) == (200, "active")
