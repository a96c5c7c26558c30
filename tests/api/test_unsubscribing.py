"""A lead unsubscribes by a link, without a login, whatever has become of the campaign."""

import re
from collections.abc import Sequence
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, select, update
from uuid_utils.compat import uuid7

from shared.contracts.recipient import RecipientRef
from shared.db.models import CompanyRow, InboundEventRow, LeadRow, RecipientRow, SuppressionRow
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.domain.recipient import EndReason
from shared.keyring import Keyring
from shared.unsubscribing import VERSION, make_unsubscribe_token, unsubscribe_url
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor

EMAIL = "ada@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
async def recipient(company: Company) -> RecipientRef:
    """Ada, whose first mail is on its way."""
    campaign = await company.make_campaign()
    ref = await company.make_recipient(campaign, lead_id=await company.make_lead(email=EMAIL))
    async with company.session() as session:
        row = await session.get_one(RecipientRow, ref.recipient_id)
        row.started_at = row.launched_at = NOON
    return ref


@pytest.fixture
def token(keyring: Keyring, recipient: RecipientRef) -> str:
    return token_of(keyring, recipient)


def token_of(keyring: Keyring, recipient: RecipientRef, email: str = EMAIL) -> str:
    return make_unsubscribe_token(
        keyring, company_id=recipient.company_id, recipient_id=recipient.recipient_id, email=email
    )


async def suppressions(company: Company) -> Sequence[SuppressionRow]:
    async with company.session() as session:
        return (await session.scalars(select(SuppressionRow))).all()


async def events(company: Company) -> Sequence[InboundEventRow]:
    async with company.session() as session:
        return (await session.scalars(select(InboundEventRow))).all()


async def test_looking_at_the_page_unsubscribes_nobody(
    anybody: httpx.AsyncClient, company: Company, recipient: RecipientRef, token: str
) -> None:
    page = await anybody.get(f"/u/{token}")

    assert page.status_code == 200
    assert '<form method="post">' in page.text
    assert "Acme" in page.text
    assert EMAIL not in page.text
    assert (await company.recipient(recipient.recipient_id)).end_reason is None
    assert (await suppressions(company), await events(company)) == ([], [])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"data": ONE_CLICK}, id="one click (RFC 8058)"),
        pytest.param({"files": {"List-Unsubscribe": (None, "One-Click")}}, id="as a form of parts"),
        pytest.param({}, id="the page's own button"),
    ],
)
async def test_whoever_asks_gets_nothing_more(
    *,
    anybody: httpx.AsyncClient,
    company: Company,
    conductor: RecordingConductor,
    recipient: RecipientRef,
    token: str,
    body: dict[str, dict[str, object]],
) -> None:
    other = await company.make_recipient(
        await company.make_campaign(), lead_id=await lead_of(company, recipient)
    )

    done = await anybody.post(f"/u/{token}", **body)  # type: ignore[arg-type] # data or files

    assert done.status_code == 200
    assert "You are unsubscribed" in done.text
    [event] = await events(company)
    assert (event.kind, event.recipient_id) == (InboundKind.UNSUBSCRIBE, recipient.recipient_id)
    for ref in (recipient, other):
        row = await company.recipient(ref.recipient_id)
        assert row.end_reason == EndReason.UNSUBSCRIBED
    [kept] = await suppressions(company)
    assert (kept.kind, kept.value, kept.reason) == ("email", EMAIL, "unsubscribe")
    assert [(ref, it.reason) for ref, it in conductor.stops] == [
        (recipient, EndReason.UNSUBSCRIBED)
    ]


async def test_asking_again_is_fine(
    *,
    anybody: httpx.AsyncClient,
    company: Company,
    conductor: RecordingConductor,
    recipient: RecipientRef,
    token: str,
) -> None:
    for _ in range(3):
        assert (await anybody.post(f"/u/{token}", data=ONE_CLICK)).status_code == 200

    page = await anybody.get(f"/u/{token}")

    assert "You are unsubscribed" in page.text
    assert "<form" not in page.text
    assert (len(await events(company)), len(await suppressions(company))) == (1, 1)
    assert len(conductor.stops) == 1


async def test_it_counts_though_temporal_is_away(
    *,
    anybody: httpx.AsyncClient,
    company: Company,
    conductor: RecordingConductor,
    recipient: RecipientRef,
    token: str,
) -> None:
    conductor.is_down = True

    assert (await anybody.post(f"/u/{token}")).status_code == 200

    row = await company.recipient(recipient.recipient_id)
    assert row.end_reason == EndReason.UNSUBSCRIBED
    assert len(await suppressions(company)) == 1


async def test_it_works_after_the_campaign_is_deleted(
    *,
    anybody: httpx.AsyncClient,
    api: httpx.AsyncClient,
    company: Company,
    recipient: RecipientRef,
    token: str,
) -> None:
    assert (await api.delete(f"/api/campaigns/{recipient.campaign_id}")).status_code == 204

    assert "Unsubscribe?" in (await anybody.get(f"/u/{token}")).text
    assert (await anybody.post(f"/u/{token}")).status_code == 200

    [row] = await suppressions(company)
    assert row.value == EMAIL


async def test_it_works_after_the_lead_is_gone_and_has_come_back(
    *,
    anybody: httpx.AsyncClient,
    company: Company,
    conductor: RecordingConductor,
    recipient: RecipientRef,
    token: str,
) -> None:
    """The rows that the link was made for are deleted; the address is in another campaign now."""
    async with company.session() as session:
        await session.execute(delete(RecipientRow))
        await session.execute(delete(LeadRow))
    campaign = await company.make_campaign()
    anew = await company.make_recipient(campaign, lead_id=await company.make_lead(email=EMAIL))

    assert (await anybody.post(f"/u/{token}")).status_code == 200

    [row] = await suppressions(company)
    assert (row.kind, row.value, row.source) == ("email", None, "unsubscribe_page")
    ended = await company.recipient(anew.recipient_id)
    assert ended.end_reason == EndReason.UNSUBSCRIBED
    assert await events(company) == []


async def test_the_address_that_the_mail_went_to_is_meant_too(
    anybody: httpx.AsyncClient, company: Company, keyring: Keyring, recipient: RecipientRef
) -> None:
    """The lead has another address by now."""
    await anybody.post(f"/u/{token_of(keyring, recipient, 'old@example.com')}")

    kept = {row.key_hash for row in await suppressions(company)}
    assert kept == {
        keyring.suppression_key("email", EMAIL),
        keyring.suppression_key("email", "old@example.com"),
    }


async def test_who_was_let_in_again_can_leave_again(
    anybody: httpx.AsyncClient, api: httpx.AsyncClient, company: Company, token: str
) -> None:
    await anybody.post(f"/u/{token}")
    [row] = await suppressions(company)
    await api.delete(f"/api/suppressions/{row.id}")

    await anybody.post(f"/u/{token}")

    [row] = await suppressions(company)
    assert row.value == EMAIL


async def test_nobody_writes_any_more_when_the_company_is_gone(
    anybody: httpx.AsyncClient, keyring: Keyring, recipient: RecipientRef
) -> None:
    gone = RecipientRef(
        company_id=uuid7(), campaign_id=uuid7(), recipient_id=recipient.recipient_id
    )
    url = f"/u/{token_of(keyring, gone)}"

    assert "You are unsubscribed" in (await anybody.get(url)).text
    assert (await anybody.post(url)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_link_that_we_did_not_make_leads_nowhere(
    *,
    anybody: httpx.AsyncClient,
    company: Company,
    keyring: Keyring,
    recipient: RecipientRef,
    token: str,
    method: str,
) -> None:
    content = VERSION + company.id.bytes + recipient.recipient_id.bytes + bytes(32)
    forged = [
        token[:-2],
        token[:-1] + ("A" if token[-1] != "A" else "Q"),
        ("A" if token[0] != "A" else "B") + token[1:],
        f"{token}=",
        "é",
        "x" * 290,
        keyring.sign_link("open", content),
        keyring.sign_link("unsubscribe", content[:-1]),
        keyring.sign_link("unsubscribe", b"\x02" + content[1:]),
    ]
    for other in forged:
        answer = await anybody.request(method, f"/u/{other}")
        assert answer.status_code == 404, other
        assert "This link does not work" in answer.text
    assert (await events(company), await suppressions(company)) == ([], [])


async def test_the_page_loads_nothing_and_tells_nobody(
    anybody: httpx.AsyncClient, company: Company, token: str
) -> None:
    async with company.session() as session:
        name = "<img src=x onerror=alert(1)> & Sons"
        await session.execute(update(CompanyRow).values(name=name))

    page = await anybody.get(f"/u/{token}")

    assert "<img" not in page.text
    assert "&lt;img" in page.text
    assert not re.search(r"(src|href|url)\s*[=(]", page.text.replace("&lt;img src=x", ""))
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers


async def test_two_who_share_an_installation_are_apart(
    *,
    anybody: httpx.AsyncClient,
    company: Company,
    stranger: Company,
    database: Database,
    token: str,
) -> None:
    await stranger.make_lead(email=EMAIL)

    await anybody.post(f"/u/{token}")

    assert (len(await suppressions(company)), await suppressions(stranger)) == (1, [])


def test_a_link_is_short_and_always_the_same(keyring: Keyring) -> None:
    ref = RecipientRef(company_id=uuid7(), campaign_id=uuid7(), recipient_id=uuid7())

    assert token_of(keyring, ref) == token_of(keyring, ref)
    url = unsubscribe_url("https://mail.example.com/", token_of(keyring, ref))
    assert re.fullmatch(r"https://mail\.example\.com/u/[\w-]{108}", url)


async def lead_of(company: Company, recipient: RecipientRef) -> UUID:
    return (await company.recipient(recipient.recipient_id)).lead_id
