"""What the REST API of campaigns was asked for, through HTTP alone and with its exact fields."""

from typing import Any

import pytest

from shared.db.models import Role
from tests.api.conftest import Login
from tests.factories import Company

Json = dict[str, Any]

CAMPAIGN = {"id", "name", "type", "status", "created_by", "created_at", "updated_at"}
STEP = {
    "id",
    "campaign_id",
    "step_number",
    "channel",
    "subject",
    "message_template",
    "delay_days",
    "created_at",
}
RECIPIENT = {
    "id",
    "campaign_id",
    "contact_id",
    "status",
    "current_step",
    "last_action_at",
    "completed_at",
    "created_at",
}
ACTION = {
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
STATS = {"total_recipients", "pending", "in_progress", "completed", "responded", "failed"}
FITTING = {"fit_score": 90, "role": "CTO", "seniority": "director", "industry": "software"}


async def made(call: Any, status: int = 201) -> Any:
    answer = await call
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DIRECTOR])
async def test_directors_and_admins_make_campaigns(
    login: Login, company: Company, role: Role
) -> None:
    person = await login(company, role)

    campaign = await made(person.post("/api/campaigns", json={"name": "Spring", "type": "email"}))
    url = f"/api/campaigns/{campaign['id']}"
    renamed = await made(person.put(url, json={**campaign, "name": "Summer"}), 200)
    listed = await made(person.get("/api/campaigns"), 200)

    assert campaign.keys() >= CAMPAIGN
    assert campaign["status"] == "draft"
    assert renamed["name"] == "Summer"
    assert [one["name"] for one in listed] == ["Summer"]
    assert (await person.delete(url)).status_code == 204
    assert await made(person.get("/api/campaigns"), 200) == []


async def test_members_make_none_and_see_the_statistics(login: Login, company: Company) -> None:
    admin, member = await login(company, Role.ADMIN), await login(company, Role.MEMBER)
    campaign = await made(admin.post("/api/campaigns", json={"name": "Spring", "type": "email"}))

    refused = await member.post("/api/campaigns", json={"name": "Mine", "type": "email"})
    stats = await made(member.get(f"/api/campaigns/{campaign['id']}/stats"), 200)
    listed = await made(member.get("/api/campaigns"), 200)

    assert refused.status_code == 403
    assert stats.keys() >= STATS | {"steps", "channels"}
    assert listed[0]["stats"].keys() >= STATS


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param({"fit_score_min": 80}, id="by fit score"),
        pytest.param({"role": "CTO", "seniority": "director"}, id="by role and seniority"),
        pytest.param({"industry": "software"}, id="by industry"),
    ],
)
async def test_recipients_are_chosen_by_who_they_are(
    login: Login, company: Company, wanted: Json
) -> None:
    director = await login(company, Role.DIRECTOR)
    leads = f"/api/companies/{company.id}/leads"
    ada = await made(director.post(leads, json={"email": "ada@example.com", **FITTING}))
    other = {"fit_score": 20, "role": "Clerk", "seniority": "junior", "industry": "mining"}
    await made(director.post(leads, json={"email": "bob@example.com", **other}))
    campaign = await made(director.post("/api/campaigns", json={"name": "S", "type": "email"}))
    url = f"/api/campaigns/{campaign['id']}/recipients"

    found = await made(director.get(leads, params=wanted), 200)
    added = await made(director.post(url, json={"filter": wanted}))
    [recipient] = await made(director.get(url), 200)

    assert [lead["id"] for lead in found["items"]] == [ada["id"]]
    assert added["added"] == 1
    assert recipient.keys() >= RECIPIENT
    assert (recipient["contact_id"], recipient["status"]) == (ada["id"], "pending")
    assert recipient["current_step"] == 0


async def test_a_sequence_is_built_and_runs(login: Login, company: Company) -> None:
    director = await login(company, Role.DIRECTOR)
    campaign = await made(director.post("/api/campaigns", json={"name": "S", "type": "multi"}))
    url = f"/api/campaigns/{campaign['id']}"
    first = {"channel": "email", "subject": "Hello", "message_template": "Hi", "delay_days": 0}
    second = {"channel": "email", "message_template": "And?", "delay_days": 3}
    steps = [await made(director.post(f"{url}/sequences", json=s)) for s in (first, second)]
    await made(director.put(f"{url}/sequences/2", json={"delay_days": 4}), 200)
    lead = str(await company.make_lead())

    one = await made(director.post(f"{url}/recipients", json={"contact_id": lead}))
    started = await made(director.post(f"{url}/activate"), 200)
    paused = await made(director.post(f"{url}/pause"), 200)
    resumed = await made(director.post(f"{url}/resume"), 200)
    answered = await made(director.post(f"{url}/recipients/{one['id']}/mark-responded"), 200)
    listed = await made(director.get(f"{url}/sequences"), 200)
    stats = await made(director.get(f"{url}/stats"), 200)

    assert all(step.keys() >= STEP for step in steps)
    assert [(s["step_number"], s["delay_days"]) for s in listed] == [(1, 0), (2, 4)]
    assert [c["status"] for c in (started, paused, resumed)] == ["active", "paused", "active"]
    assert answered["status"] == "responded"
    assert (stats["total_recipients"], stats["responded"]) == (1, 1)


async def test_what_was_done_and_comes_next_is_listed(login: Login, company: Company) -> None:
    director = await login(company, Role.DIRECTOR)
    campaign = await company.make_campaign()
    url = f"/api/campaigns/{campaign.id}/recipients"
    one = await made(director.post(url, json={"contact_id": str(await company.make_lead())}))

    [action] = await made(director.get(f"{url}/{one['id']}/actions"), 200)
    explained = await made(director.get(f"{url}/{one['id']}/explain"), 200)

    assert action.keys() >= ACTION
    assert (action["status"], action["sequence_id"]) == ("scheduled", str(campaign.step_ids[0]))
    assert explained.keys() == {"state", "next", "because", "blocked_by"}


@pytest.mark.parametrize("channel", ["linkedin_message", "linkedin_connection"])
async def test_a_linkedin_step_is_taken_or_refused_in_words(
    login: Login, company: Company, channel: str
) -> None:
    director = await login(company, Role.DIRECTOR)
    campaign = await made(director.post("/api/campaigns", json={"name": "L", "type": "linkedin"}))
    step = {"channel": channel, "message_template": "Hello", "delay_days": 0}

    answer = await director.post(f"/api/campaigns/{campaign['id']}/sequences", json=step)

    if answer.status_code == 422:
        assert answer.json()["errors"][0]["field"] == "channel"
        assert "not available yet" in answer.json()["detail"]
    else:
        assert answer.status_code == 201
        assert answer.json()["channel"] == channel
