"""Opens and clicks: only where a campaign asks, told apart by who is behind them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from api.services.tracking import TrackingService
from shared.contracts.recipient import RecipientRef
from shared.db.models import CampaignRow, EventRow, RecipientRow, TrackingEventRow
from shared.db.repositories.ledger import action_id_of
from shared.domain.recipient import EndReason
from shared.keyring import Keyring
from shared.tracking import Tracking
from tests.api.conftest import make_action
from tests.factories import Campaign, Company

Json = dict[str, Any]
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/140.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
TARGET = "https://example.com/offer?a=1&b=ü"
PERSON = {"User-Agent": BROWSER}
LONG_AGO = timedelta(hours=1)


async def write(
    company: Company, campaign: Campaign, keyring: Keyring, *, ago: timedelta | None = LONG_AGO
) -> Tracking:
    """A mail that was sent so long ago; None: nobody knows yet."""
    ref = await company.make_recipient(campaign)
    await add_action(company, campaign, ref, ago)
    return Tracking(
        keyring=keyring,
        public_url="",
        company_id=company.id,
        recipient_id=ref.recipient_id,
        step_id=campaign.step_ids[0],
    )


async def add_action(
    company: Company, campaign: Campaign, ref: RecipientRef, ago: timedelta | None
) -> None:
    settled_at = None if ago is None else datetime.now(UTC) - ago
    action = make_action(campaign, company, ref.recipient_id, settled_at=settled_at)
    action.id = action_id_of(ref.recipient_id, campaign.step_ids[0])
    async with company.session() as session:
        session.add(action)


@pytest.fixture
async def campaign(company: Company) -> Campaign:
    """It asks for both."""
    made = await company.make_campaign()
    async with company.session() as session:
        await session.execute(update(CampaignRow).values(track_opens=True, track_clicks=True))
    return made


@pytest.fixture
async def mail(company: Company, campaign: Campaign, keyring: Keyring) -> Tracking:
    return await write(company, campaign, keyring)


async def hits(company: Company) -> list[tuple[str, str, int]]:
    async with company.session() as session:
        rows = await session.scalars(select(TrackingEventRow).order_by(TrackingEventRow.id))
        return [(row.kind.value, row.visitor.value, row.hits) for row in rows]


async def test_an_opened_mail_is_noted_once_however_often_it_is_opened(
    anybody: httpx.AsyncClient, company: Company, mail: Tracking
) -> None:
    for _ in range(3):
        answer = await anybody.get(mail.pixel_url, headers=PERSON)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/gif"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"GIF89a")
    assert await hits(company) == [("open", "person", 3)]


async def test_a_click_leads_on_and_is_noted_for_each_link(
    anybody: httpx.AsyncClient, company: Company, mail: Tracking
) -> None:
    for target in (TARGET, "https://example.com/", "https://example.com/"):
        answer = await anybody.get(mail.click_url(target), headers=PERSON)
        assert answer.status_code == 302

    assert answer.headers["location"] == "https://example.com/"
    assert await hits(company) == [("click", "person", 1), ("click", "person", 2)]


@pytest.mark.parametrize(
    ("method", "headers", "ago", "visitor"),
    [
        pytest.param("GET", PERSON, LONG_AGO, "person", id="a browser"),
        pytest.param("GET", PERSON, timedelta(seconds=2), "scanner", id="too quick"),
        pytest.param("GET", PERSON, None, "scanner", id="before it is known to have left"),
        pytest.param("HEAD", PERSON, LONG_AGO, "scanner", id="only the head"),
        pytest.param("GET", {"User-Agent": GMAIL}, LONG_AGO, "image_proxy", id="a proxy"),
        pytest.param("GET", PERSON | {"Sec-Purpose": "prefetch"}, LONG_AGO, "prefetch", id="early"),
    ],
)
async def test_visitors_are_told_apart(
    *,
    anybody: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    keyring: Keyring,
    method: str,
    headers: dict[str, str],
    ago: timedelta | None,
    visitor: str,
) -> None:
    mail = await write(company, campaign, keyring, ago=ago)

    await anybody.request(method, mail.pixel_url, headers=headers)
    clicked = await anybody.request(method, mail.click_url(TARGET), headers=headers)

    assert clicked.status_code == 302
    assert await hits(company) == [("open", visitor, 1), ("click", visitor, 1)]


async def test_a_forged_link_leads_nowhere(
    anybody: httpx.AsyncClient, company: Company, mail: Tracking, keyring: Keyring
) -> None:
    """No open redirect: where a link leads is inside the signature."""
    pixel, click = mail.pixel_url, mail.click_url(TARGET)
    token = click.rpartition("/")[2]
    longer = f"{token}aHR0cHM6Ly9ldmlsLmV4YW1wbGU"
    wrong = [
        f"/t/c/{longer}",
        f"/t/c/{token[:-4]}",
        f"/t/c/{pixel.rpartition('/')[2].removesuffix('.gif')}",
        f"/t/o/{token}.gif",
        "/t/c/https:%2F%2Fevil.example",
        "/t/o/x.gif",
        f"/t/c/{keyring.sign_link('click', b'short')}",
        f"/t/o/{keyring.sign_link('open', bytes(60))}.gif",
    ]
    for url in wrong:
        assert (await anybody.get(url)).status_code == 404, url
    assert await hits(company) == []


async def test_a_campaign_that_does_not_ask_notes_nothing(
    anybody: httpx.AsyncClient, company: Company, mail: Tracking
) -> None:
    """Also of links in mails that left before it was switched off; they still lead on."""
    async with company.session() as session:
        await session.execute(update(CampaignRow).values(track_opens=None, track_clicks=False))

    opened = await anybody.get(mail.pixel_url, headers=PERSON)
    clicked = await anybody.get(mail.click_url(TARGET), headers=PERSON)

    assert (opened.status_code, clicked.status_code) == (200, 302)
    assert await hits(company) == []


async def test_links_work_when_the_rows_are_gone(
    anybody: httpx.AsyncClient, api: httpx.AsyncClient, company: Company, mail: Tracking
) -> None:
    await anybody.get(mail.pixel_url, headers=PERSON)
    lead_id = (await company.recipient(mail.recipient_id)).lead_id
    await api.post(f"/api/companies/{company.id}/leads/{lead_id}/erase")

    opened = await anybody.get(mail.pixel_url, headers=PERSON)
    clicked = await anybody.get(mail.click_url(TARGET), headers=PERSON)

    assert (opened.status_code, clicked.status_code) == (200, 302)
    assert await hits(company) == []


async def test_links_work_when_the_database_does_not(
    anybody: httpx.AsyncClient, mail: Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise OperationalError("select", {}, ConnectionError())

    monkeypatch.setattr(TrackingService, "_note", fail)

    assert (await anybody.get(mail.click_url(TARGET))).status_code == 302


async def test_rates_are_shown_with_and_without_machines(
    *,
    anybody: httpx.AsyncClient,
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    keyring: Keyring,
) -> None:
    mails = [await write(company, campaign, keyring) for _ in range(4)]
    await anybody.get(mails[0].pixel_url, headers=PERSON)
    await anybody.get(mails[0].pixel_url, headers={"User-Agent": GMAIL})
    await anybody.get(mails[1].pixel_url, headers={"User-Agent": GMAIL})
    await anybody.get(mails[2].pixel_url, headers={"User-Agent": "Mozilla/5.0"})
    for target in (TARGET, "https://example.com/"):
        await anybody.get(mails[0].click_url(target), headers=PERSON)
    await anybody.head(mails[3].click_url(TARGET))

    stats = (await api.get(f"/api/campaigns/{campaign.id}/stats")).json()

    first, second, *_ = stats["steps"]
    assert (first["sent"], first["opened"], first["opened_with_machines"]) == (4, 1, 3)
    assert first["opened_by"] == {"person": 1, "image_proxy": 2, "prefetch": 1, "scanner": 0}
    assert (first["clicked"], first["clicked_with_machines"]) == (1, 2)
    rates = first["rates"]
    assert (rates["opened"], rates["opened_with_machines"]) == (0.25, 0.75)
    assert (rates["clicked"], rates["clicked_with_machines"]) == (0.25, 0.5)
    assert (second["opened"], second["rates"]["opened"]) == (0, None)
    channel = stats["channels"]["email"]
    assert (channel["opened"], channel["clicked_with_machines"]) == (1, 2)
    assert channel["opened_by"]["image_proxy"] == 2

    await remove(company, mails[0].recipient_id)
    stats = (await api.get(f"/api/campaigns/{campaign.id}/stats")).json()
    assert stats["steps"][0]["opened"] == 0


async def test_what_is_not_tracked_is_null(api: httpx.AsyncClient, company: Company) -> None:
    campaign = await company.make_campaign()

    stats = (await api.get(f"/api/campaigns/{campaign.id}/stats")).json()

    assert stats["steps"][0]["opened"] is stats["steps"][0]["clicked_with_machines"] is None
    assert stats["steps"][0]["rates"]["opened"] is None
    assert stats["channels"]["email"]["opened_by"] is None


async def test_tracking_is_off_until_somebody_asks(
    api: httpx.AsyncClient, company: Company
) -> None:
    made = (await api.post("/api/campaigns", json={"name": "Spring", "type": "email"})).json()
    url = f"/api/campaigns/{made['id']}"
    asked = (await api.put(url, json={"track_opens": True, "track_clicks": True})).json()
    listed = (await api.get("/api/campaigns")).json()
    wrong = await api.put(url, json={"track_opens": "yes"})

    assert (made["track_opens"], made["track_clicks"]) == (None, None)
    assert (asked["track_opens"], asked["track_clicks"]) == (True, True)
    assert [it["track_clicks"] for it in listed] == [True]
    assert wrong.status_code == 422


@pytest.mark.parametrize(("said", "expected"), [(None, True), (False, False)])
async def test_a_run_in_one_go_tracks_opens_unless_told_not_to(
    api: httpx.AsyncClient, company: Company, said: bool | None, expected: bool
) -> None:
    await company.make_lead()
    body = {"name": "Spring", "type": "email", "template": "Hello", "track_opens": said}
    made = (await api.post(f"/api/companies/{company.id}/campaigns", json=body)).json()

    ran = await api.post(f"/api/campaigns/{made['id']}/run")

    assert ran.status_code == 202, ran.text
    assert (await api.get(f"/api/campaigns/{made['id']}")).json()["track_opens"] is expected


async def remove(company: Company, recipient_id: UUID) -> None:
    async with company.session() as session:
        row = await session.get_one(RecipientRow, recipient_id)
        row.end_reason = EndReason.REMOVED
        row.ended_at = datetime.now(UTC)


async def test_what_a_person_does_is_told_and_stands_in_the_leads_timeline(
    anybody: httpx.AsyncClient, api: httpx.AsyncClient, company: Company, mail: Tracking
) -> None:
    """Once each; a scanner that looks at every link is neither."""
    for _ in range(2):
        await anybody.get(mail.pixel_url, headers={"User-Agent": GMAIL})
        await anybody.get(mail.click_url(TARGET), headers=PERSON)
    await anybody.get(mail.click_url(TARGET), headers={"User-Agent": "curl/8"})

    async with company.session() as session:
        rows = await session.scalars(select(EventRow).where(EventRow.name.like("action.%ed")))
        told = {row.name: row for row in rows}
    lead_id = (await company.recipient(mail.recipient_id)).lead_id
    timeline = await api.get(f"/api/companies/{company.id}/leads/{lead_id}/timeline")
    entries = {entry["what"]: entry for entry in timeline.json()["items"]}

    assert told.keys() == {"action.opened", "action.clicked"}
    assert told["action.opened"].payload["visitor"] == "image_proxy"
    clicked = told["action.clicked"]
    assert (clicked.recipient_id, clicked.payload["url"]) == (mail.recipient_id, TARGET)
    assert clicked.payload["contact_id"] == str(lead_id)
    assert entries.keys() == {"email sent", "opened", "clicked"}
    assert (entries["clicked"]["direction"], entries["clicked"]["text"]) == ("in", TARGET)
