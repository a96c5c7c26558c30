"""Booking links, and calendars at providers that this installation is not known to."""

from datetime import timedelta

import httpx
import pytest

from shared.domain.recipient import EndReason
from tests.api.test_appointments import CONNECT, LINK, MONDAY, URL, at_noon
from tests.factories import Campaign, Company


@pytest.mark.parametrize(
    ("provider", "setting"), [("google", "GOOGLE_CLIENT_ID"), ("cronofy", "CRONOFY_CLIENT_ID")]
)
async def test_a_provider_that_is_not_set_up_is_named(
    api: httpx.AsyncClient, provider: str, setting: str
) -> None:
    answer = await api.post(CONNECT, json={"provider": provider})
    assert answer.status_code == 503
    assert setting in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"provider": "link"},
        {"provider": "google", "booking_url": "https://booking.example.com"},
        {"provider": "link", "booking_url": "no address"},
        {"provider": "outlook"},
    ],
    ids=["no link", "a link too many", "no address", "nobody we know"],
)
async def test_what_is_no_calendar_is_refused(api: httpx.AsyncClient, body: dict[str, str]) -> None:
    assert (await api.post(CONNECT, json=body)).status_code == 422


async def test_with_a_booking_link_the_answer_is_the_link(
    api: httpx.AsyncClient, company: Company, campaign: Campaign
) -> None:
    recipient = await company.make_recipient(campaign)
    kept = await api.post(CONNECT, json={"provider": "link", "booking_url": LINK})
    assert kept.json() == {"provider": "link", "authorize_url": None, "booking_url": LINK}
    whom = {"recipient_id": str(recipient.recipient_id)}

    offered = await api.post(URL, json=whom)
    assert (offered.json()["status"], offered.json()["url"]) == ("offered", LINK)
    assert (await company.recipient(recipient.recipient_id)).end_reason is None

    agreed = await api.post(URL, json=at_noon(**whom))
    assert (agreed.json()["status"], agreed.json()["url"]) == ("booked", LINK)
    row = await company.recipient(recipient.recipient_id)
    assert row.end_reason is EndReason.MEETING


async def test_a_link_knows_no_times(api: httpx.AsyncClient, company: Company) -> None:
    await api.post(CONNECT, json={"provider": "link", "booking_url": LINK})
    within = {"from": MONDAY.isoformat(), "until": (MONDAY + timedelta(hours=3)).isoformat()}
    lead = {"lead_id": str(await company.make_lead())}
    assert (await api.get(f"{URL}/free", params=within)).status_code == 409
    assert (await api.post(URL, json=lead | within)).status_code == 409
