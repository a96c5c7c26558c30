"""The steps of a campaign."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from shared.db.models import CampaignRow, RecipientRow, VersionRow
from shared.db.session import Database
from tests.api.test_campaigns import make_campaign
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.wakings import tell_everybody

Json = dict[str, Any]
STEP = {"channel": "email", "subject": "Hello", "message_template": "Hello {{ lead.first_name }}"}
FRONTEND_FIELDS = {
    "id",
    "campaign_id",
    "step_number",
    "channel",
    "subject",
    "message_template",
    "delay_days",
    "created_at",
}


async def steps(api: httpx.AsyncClient, url: str) -> list[Json]:
    found: list[Json] = (await api.get(f"{url}/sequences")).json()
    return found


async def test_a_step_has_the_fields_that_frontends_expect(api: httpx.AsyncClient) -> None:
    url = await make_campaign(api, steps=0)

    made = await api.post(f"{url}/sequences", json=STEP | {"delay_days": 3, "delay_hours": 2})

    assert made.status_code == 201
    assert made.json().keys() >= FRONTEND_FIELDS
    assert await steps(api, url) == [made.json()]


async def test_numbers_run_from_1_and_ids_stay(api: httpx.AsyncClient) -> None:
    url = await make_campaign(api, steps=3)
    first, second, third = [step["id"] for step in await steps(api, url)]

    await api.post(f"{url}/sequences", json=STEP | {"step_number": 2})
    gone = await api.delete(f"{url}/sequences/1")
    new, *_ = await steps(api, url)
    order = [third, 1, 2]
    reordered = await api.post(f"{url}/sequences/reorder", json={"order": order})

    assert gone.status_code == 204
    assert [step["id"] for step in reordered.json()] == [third, new["id"], second]
    assert [step["step_number"] for step in reordered.json()] == [1, 2, 3]
    assert reordered.json() == await steps(api, url)
    assert first not in {step["id"] for step in reordered.json()}


async def test_steps_that_are_added_at_once_are_numbered_without_gap(
    api: httpx.AsyncClient,
) -> None:
    url = await make_campaign(api, steps=0)

    added = await asyncio.gather(*(api.post(f"{url}/sequences", json=STEP) for _ in range(5)))

    assert {answer.status_code for answer in added} == {201}
    assert [step["step_number"] for step in await steps(api, url)] == [1, 2, 3, 4, 5]


async def test_a_step_that_was_read_may_be_sent_back(api: httpx.AsyncClient) -> None:
    url = await make_campaign(api, steps=2)
    read = (await steps(api, url))[1]

    changed = await api.put(f"{url}/sequences/2", json=read | {"subject": None, "delay_days": 4})

    assert changed.status_code == 200, changed.text
    assert changed.json() == read | {"subject": None, "delay_days": 4}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"message_template": "{{ lead."}, "message_template", id="a broken template"),
        pytest.param({"subject": "{% if %}"}, "subject", id="a broken subject"),
        pytest.param({"subject": "Hello\nBcc: eve@x.com"}, "subject", id="a second header"),
        pytest.param({"inmail": True}, "inmail", id="a mail that is an InMail"),
        pytest.param({"task": {"due_days": 1}}, "task", id="a mail that is a task"),
        pytest.param({"when": [{"step": 7, "outcome": "opened"}]}, "when", id="an unknown step"),
        pytest.param({"key": "Not a key"}, "key", id="no name for a step"),
        pytest.param(
            {"channel": "call", "call": {"first_sentence": "{{ lead."}},
            "call.first_sentence",
            id="a broken first sentence",
        ),
        pytest.param({"channel": "pigeon"}, "channel", id="no channel at all"),
        pytest.param({"delay_days": -1}, "delay_days", id="back in time"),
        pytest.param({"step_number": 9}, "step_number", id="a gap in the numbers"),
        pytest.param({"message_template": None}, "message_template", id="nothing to say"),
    ],
)
async def test_a_wrong_step_names_the_field(
    api: httpx.AsyncClient, change: Json, field: str
) -> None:
    url = await make_campaign(api, steps=1)

    answer = await api.post(f"{url}/sequences", json=STEP | change)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert len(await steps(api, url)) == 1


@pytest.mark.parametrize("order", [[1], [1, 1], [1, 2, 3], [1, 7]])
async def test_an_order_names_each_step_once(api: httpx.AsyncClient, order: list[int]) -> None:
    url = await make_campaign(api, steps=2)

    answer = await api.post(f"{url}/sequences/reorder", json={"order": order})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "order"


async def test_an_edit_of_a_campaign_that_runs_is_published_at_once(
    api: httpx.AsyncClient, company: Company, conductor: RecordingConductor, database: Database
) -> None:
    campaign = await company.make_campaign()
    waiting = await company.make_recipient(campaign)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, waiting.recipient_id)
        row.started_at = row.launched_at = row.next_at = NOON
        row.next_step_id = campaign.step_ids[1]
    url = f"/api/campaigns/{campaign.id}/sequences"

    edits, woken = [], []
    for method, place, body in (
        ("POST", "", STEP),
        ("PUT", "/1", {"message_template": "Good day"}),
        ("PUT", "/2", {"delay_seconds": 1}),
        ("DELETE", "/4", None),
        ("POST", "/reorder", {"order": [1, 3, 2]}),
    ):
        edits.append(await api.request(method, url + place, json=body))
        await tell_everybody(database, conductor)
        woken.append(len(conductor.wakes))

    assert [answer.status_code for answer in edits] == [201, 200, 200, 204, 200]
    async with company.session() as session:
        versions = (await session.scalars(select(VersionRow).order_by(VersionRow.number))).all()
        edited = await session.get_one(CampaignRow, campaign.id)
    assert [version.number for version in versions] == [1, 2, 3, 4, 5, 6]
    assert edited.version_id == versions[-1].id
    ids = [step["id"] for step in versions[-1].steps]
    assert ids == [str(campaign.step_ids[i]) for i in (0, 2, 1)]
    # It waits for the second step: its delay and its place concern it, and nothing else.
    assert woken == [0, 0, 1, 1, 2]
    assert {ref for ref, _ in conductor.wakes} == {waiting}


async def test_a_campaign_that_runs_keeps_its_last_step(
    api: httpx.AsyncClient, company: Company
) -> None:
    campaign = await company.make_campaign(waits=(0,))

    answer = await api.delete(f"/api/campaigns/{campaign.id}/sequences/1")

    assert answer.status_code == 409
