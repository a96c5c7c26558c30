"""Rehearsals by the API: within the request, as a task, and what they never change."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from activities.rehearsing import RehearsalActivities
from api.services import rehearsing
from shared.db.models import JobRow, RecipientRow, RehearsalRow
from shared.db.session import Database
from tests.factories import Campaign, Company
from tests.fakes.conductor import RecordingConductor

BEGIN = "2026-03-02T12:00:00Z"


async def make_campaign(company: Company, number: int = 3) -> Campaign:
    campaign = await company.make_campaign()
    for place in range(number):
        lead_id = await company.make_lead(email=f"lead-{place}-{campaign.id}@example.test")
        await company.make_recipient(campaign, lead_id=lead_id)
    return campaign


async def rehearse(api: httpx.AsyncClient, campaign: Campaign, **body: Any) -> httpx.Response:
    wish = {"begins_at": BEGIN, "behaviour": {"bounce_rate": 0, "reply_rate": 0}, **body}
    return await api.post(f"/api/campaigns/{campaign.id}/rehearse", json=wish)


async def test_the_answer_is_the_dated_schedule(api: httpx.AsyncClient, company: Company) -> None:
    campaign = await make_campaign(company)
    quiet = {"out_of_office_rate": 0, "unsubscribe_rate": 0, "open_rate": 0}
    reply = {"event": "reply", "day": 2, "lead": f"lead-1-{campaign.id}@example.test"}
    behaviour = {"bounce_rate": 0, "reply_rate": 0, **quiet, "happenings": [reply]}

    answer = await rehearse(api, campaign, behaviour=behaviour)

    assert answer.status_code == 200, answer.text
    report = answer.json()["report"]
    assert report["outcomes"] == {"completed": 2, "replied": 1}
    days = [(line["at"][:10], line["what"]) for line in report["schedule"]]
    assert days == [
        *[("2026-03-02", "sent")] * 3,
        ("2026-03-04", "reply"),
        *[("2026-03-05", "sent")] * 2,
        *[("2026-03-08", "sent")] * 2,
    ]
    assert report["accounts"][0]["account"] == "sam@acme.test"


async def test_the_same_seed_answers_the_same_bytes(
    api: httpx.AsyncClient, company: Company
) -> None:
    campaign = await make_campaign(company, 20)
    lively = {"reply_rate": 0.3, "out_of_office_rate": 0.3}

    first, second, other = [
        (await rehearse(api, campaign, seed=seed, behaviour=lively)).content for seed in (7, 7, 8)
    ]

    assert first == second != other


async def test_nothing_of_the_campaign_is_changed(api: httpx.AsyncClient, company: Company) -> None:
    campaign = await make_campaign(company)

    await rehearse(api, campaign)

    async with company.session() as session:
        rows = (await session.scalars(select(RecipientRow))).all()
    assert all(row.started_at is None and row.next_at is None for row in rows)
    assert await company.actions() == []


async def test_a_big_one_is_a_task(
    *,
    api: httpx.AsyncClient,
    company: Company,
    conductor: RecordingConductor,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rehearsing, "MOST_AT_ONCE", 2)
    campaign = await make_campaign(company)
    whole = await rehearse(api, campaign, seed=7)
    assert whole.status_code == 202, whole.text
    task_id = whole.json()["task_id"]
    path = f"/api/tasks/{task_id}/rehearsal"
    assert (await api.get(path)).status_code == 409

    activities = RehearsalActivities(database=database)
    [order] = conductor.rehearsals
    assert await ActivityEnvironment().run(activities.play, order) is True

    task = (await api.get(f"/api/tasks/{task_id}")).json()
    assert (task["kind"], task["status"], task["result_url"]) == ("rehearsal", "completed", path)
    assert (task["processed"], task["total"]) == (3, 3)
    monkeypatch.undo()
    inline = await rehearse(api, campaign, seed=7)
    assert (await api.get(path)).json() == inline.json()["report"]


async def test_a_task_that_was_cancelled_is_not_played(
    *,
    api: httpx.AsyncClient,
    company: Company,
    conductor: RecordingConductor,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rehearsing, "MOST_AT_ONCE", 2)
    task_id = (await rehearse(api, await make_campaign(company))).json()["task_id"]
    await api.post(f"/api/tasks/{task_id}/cancel")

    [order] = conductor.rehearsals
    played = await ActivityEnvironment().run(RehearsalActivities(database=database).play, order)

    assert played is False
    async with company.session() as session:
        assert (await session.scalars(select(RehearsalRow))).one().report is None


async def test_a_task_without_its_campaign_fails_and_says_so(
    *,
    api: httpx.AsyncClient,
    company: Company,
    conductor: RecordingConductor,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rehearsing, "MOST_AT_ONCE", 2)
    campaign = await make_campaign(company)
    await rehearse(api, campaign)
    await api.delete(f"/api/campaigns/{campaign.id}")

    [order] = conductor.rehearsals
    played = await ActivityEnvironment().run(RehearsalActivities(database=database).play, order)

    assert played is False
    async with company.session() as session:
        job = await session.get_one(JobRow, order.job_id)
    assert job.status == "failed"
    assert "is not there" in job.errors[0]["message"]
    nobody = replace(order, job_id=company.id)
    assert not await ActivityEnvironment().run(RehearsalActivities(database=database).play, nobody)


async def test_without_temporal_nothing_is_promised(
    api: httpx.AsyncClient,
    company: Company,
    conductor: RecordingConductor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rehearsing, "MOST_AT_ONCE", 2)
    campaign = await make_campaign(company)
    conductor.is_down = True

    assert (await rehearse(api, campaign)).status_code == 503


async def test_what_cannot_be_rehearsed_says_what_to_do(
    api: httpx.AsyncClient, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = await make_campaign(company, 0)
    assert "add recipients first" in (await rehearse(api, empty)).json()["detail"]

    made = await api.post("/api/campaigns", json={"name": "New", "type": "email"})
    stepless = Campaign(id=made.json()["id"], step_ids=())
    assert "add one first" in (await rehearse(api, stepless)).json()["detail"]

    monkeypatch.setattr(rehearsing, "MOST", 1)
    assert "1 at the most" in (await rehearse(api, await make_campaign(company))).json()["detail"]


@pytest.mark.parametrize(
    ("behaviour", "field"),
    [
        pytest.param({"reply_rate": 2}, "reply_rate", id="a rate over one"),
        pytest.param({"answer_rate": 0.7, "voicemail_rate": 0.7}, "behaviour", id="too many calls"),
        pytest.param({"happenings": [{"day": 1}]}, "happenings", id="neither event nor outcome"),
        pytest.param(
            {"happenings": [{"event": "delayed"}]}, "happenings", id="no answer of people"
        ),
        pytest.param({"happenings": [{"outcome": "opened"}]}, "happenings", id="of which step"),
    ],
)
async def test_what_cannot_happen_is_refused(
    api: httpx.AsyncClient, company: Company, behaviour: dict[str, Any], field: str
) -> None:
    answer = await rehearse(api, await make_campaign(company), behaviour=behaviour)

    assert answer.status_code == 422
    assert field in json.dumps(answer.json()["errors"])


async def test_a_beginning_that_nobody_knows_the_holidays_of_is_refused(
    api: httpx.AsyncClient, company: Company
) -> None:
    answer = await rehearse(api, await make_campaign(company), begins_at="9999-01-01T00:00:00Z")

    assert answer.status_code == 422
    assert "from 2020 to 2050" in answer.text


async def test_a_task_of_another_kind_is_no_rehearsal(
    api: httpx.AsyncClient, company: Company
) -> None:
    async with company.session() as session:
        job = JobRow(kind="import")
        session.add(job)
    answer = await api.get(f"/api/tasks/{job.id}/rehearsal")

    assert answer.status_code == 409
    assert "no rehearsal" in answer.json()["detail"]


async def test_who_lacks_what_a_template_needs_is_named(
    api: httpx.AsyncClient, company: Company
) -> None:
    campaign = await company.make_campaign(text="Hello {{ lead.city }}")
    here = await company.make_lead(email=f"here-{campaign.id}@example.test", city="Berlin")
    away = await company.make_lead(email=f"away-{campaign.id}@example.test")
    for lead_id in (here, away):
        await company.make_recipient(campaign, lead_id=lead_id)

    report = (await rehearse(api, campaign)).json()["report"]

    assert report["never_reached"] == [
        {
            "lead": f"away-{campaign.id}@example.test",
            "why": "a template variable has no value: lead.city",
        }
    ]
    assert report["problems"][0].startswith("1 of 2 leads are never reached")
