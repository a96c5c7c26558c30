"""When and how much: what the API takes, says in words when it refuses, and gives back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.db.models import AccountRow, RecipientRow
from shared.db.models.accounts import AccountStatus
from shared.db.session import Database
from shared.domain.recipient import HoldReason
from tests.factories import NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor
from tests.wakings import tell_everybody

Json = dict[str, Any]
WINDOW: Json = {"days": {"monday": ["09:00-12:00", "13:00-17:00"], "friday": ["22:00-02:00"]}}
STORED: Json = WINDOW | {"in_lead_zone": True, "holidays": None, "spread_minutes": 0}


async def test_a_campaign_keeps_its_window_limits_zone_and_start(
    api: httpx.AsyncClient, company: Company
) -> None:
    body: Json = {
        "name": "Spring",
        "type": "email",
        "window": WINDOW,
        "limits": {"new_leads_per_day": 10},
        "time_zone": "Europe/Paris",
        "start_at": "2026-12-01T08:00:00+01:00",
    }

    made = (await api.post("/api/campaigns", json=body)).json()

    assert made["window"] == STORED
    assert made["limits"] == {"new_leads_per_day": 10}
    assert made["time_zone"] == "Europe/Paris"
    assert datetime.fromisoformat(made["start_at"]) == datetime(2026, 12, 1, 7, tzinfo=UTC)
    [listed] = (await api.get("/api/campaigns")).json()
    fields = ("window", "limits", "time_zone")
    assert {name: listed[name] for name in fields} == {name: made[name] for name in fields}
    read = (await api.get(f"/api/campaigns/{made['id']}")).json()
    changed = await api.put(f"/api/campaigns/{made['id']}", json=read | {"window": None})
    assert changed.status_code == 200, changed.text
    assert changed.json()["window"] is None
    assert changed.json()["limits"] == made["limits"]


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"window": {"days": {}}}, "window.days", "at least one weekday"),
        ({"window": {"days": {"moonday": ["09:00-17:00"]}}}, "window.days", "no weekday"),
        ({"window": {"days": {"monday": ["9-17"]}}}, "window.days", "write them as 09:00-17:00"),
        ({"window": {"days": {"monday": ["09:00-25:00"]}}}, "window.days", "00:00 to 24:00"),
        ({"window": {"days": {"monday": ["09:00-09:00"]}}}, "window.days", "no time at all"),
        (
            {"window": {"days": {"monday": ["09:00-12:00", "11:00-17:00"]}}},
            "window.days",
            "overlap",
        ),
        ({"window": WINDOW | {"holidays": "XX"}}, "window.holidays", "ISO country code"),
        ({"window": WINDOW | {"holidays": "DE-XX"}}, "window.holidays", "ISO country code"),
        ({"window": WINDOW | {"spread_minutes": -1}}, "window.spread_minutes", "0"),
        ({"limits": {"new_leads_per_day": 0}}, "limits.new_leads_per_day", "1"),
        ({"limits": {"per_day": 3}}, "limits.per_day", ""),
        ({"time_zone": "Mars/Base"}, "time_zone", "IANA"),
        ({"start_at": "2026-12-01T08:00:00"}, "start_at", "timezone"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_words(
    api: httpx.AsyncClient, more: Json, field: str, words: str
) -> None:
    answer = await api.post("/api/campaigns", json={"name": "Spring", "type": "email", **more})

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert words in error["message"]


async def test_a_step_waits_for_business_days_or_a_date(
    api: httpx.AsyncClient, company: Company, campaign: Campaign
) -> None:
    url = f"/api/campaigns/{campaign.id}/sequences"
    step = {"channel": "email", "message_template": "Hello", "delay_business_days": 2}

    made = await api.post(url, json=step | {"on_date": "2026-12-01"})

    assert made.status_code == 201, made.text
    assert (made.json()["delay_business_days"], made.json()["on_date"]) == (2, "2026-12-01")
    refused = await api.post(url, json=step | {"delay_business_days": -1})
    assert refused.json()["errors"][0]["field"] == "delay_business_days"


async def test_an_account_has_finer_limits_and_its_ramp_begins_when_it_is_set(
    api: httpx.AsyncClient, company: Company
) -> None:
    url = f"/api/accounts/{company.account_id}"
    limits: Json = {"per_hour": 10, "min_gap_seconds": 60, "ramp_up": {"start": 5, "step": 3}}

    answer = await api.put(url, json={"limits": limits})

    assert answer.status_code == 200, answer.text
    assert answer.json()["limits"] == limits
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        assert account.ramp_from_at is not None
        assert datetime.now(UTC) - account.ramp_from_at < timedelta(minutes=1)
    assert (await api.put(url, json={"limits": None})).json()["limits"] == {}
    wrong = await api.put(url, json={"limits": {"gap_jitter_seconds": 5}})
    assert wrong.status_code == 422
    assert "give both" in wrong.text


async def test_no_limit_lies_above_the_provider_s(api: httpx.AsyncClient, company: Company) -> None:
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        account.daily_ceiling = 500
    url = f"/api/accounts/{company.account_id}"

    answer = await api.put(url, json={"daily_limit": 501})

    assert answer.status_code == 422
    assert "The provider allows 500 mails in 24 hours" in answer.text
    assert (await api.put(url, json={"daily_limit": 500})).status_code == 200


async def test_who_is_asleep_is_woken_when_a_limit_or_a_window_changes(
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
    database: Database,
) -> None:
    order = await company.make_order(campaign)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.account_id, row.next_at = company.account_id, NOON

    for place, change, woken in (
        (f"/api/accounts/{company.account_id}", {"daily_limit": 50}, 1),
        (f"/api/campaigns/{campaign.id}", {"window": WINDOW}, 2),
        (f"/api/campaigns/{campaign.id}", {"name": "Summer"}, 2),
    ):
        await api.put(place, json=change)
        await tell_everybody(database, conductor)
        assert len(conductor.wakes) == woken


async def test_a_person_resumes_an_account_that_was_paused(
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
    database: Database,
) -> None:
    order = await company.make_order(campaign)
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        account.status, account.status_reason = AccountStatus.NEEDS_ATTENTION, "9 of 100 bounced"
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.account_id, row.parked_at = company.account_id, NOON
        row.hold_reason = HoldReason.ACCOUNT_DOWN
    explained = await api.get(
        f"/api/campaigns/{campaign.id}/recipients/{order.recipient_id}/explain"
    )
    assert explained.json()["blocked_by"] == ["account needs attention: 9 of 100 bounced"]
    url = f"/api/accounts/{company.account_id}/resume"

    answer = await api.post(url)

    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["status_reason"]) == ("active", None)
    await tell_everybody(database, conductor)
    assert len(conductor.wakes) == 1
    assert (await api.post(url)).status_code == 200
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        assert account.trusted_from_at is not None
        account.status = AccountStatus.DISCONNECTED
    assert (await api.post(url)).status_code == 409
