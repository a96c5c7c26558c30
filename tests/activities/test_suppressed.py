"""Nothing goes to whom it is forbidden to write, whatever names them and however late."""

import asyncio
import re
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select, update

from shared.contracts.recipient import ActionOrder
from shared.db.models import ActionStatus, CampaignRow, LeadRow, SuppressionRow
from shared.domain.recipient import EndReason, Finished
from shared.domain.tracking import TrackingKind
from shared.keyring import Keyring
from shared.tracking import read_tracked_link
from tests.activities.conftest import Send
from tests.factories import NOON, Company
from tests.fakes.gmail import FakeGmail

LATER = NOON + timedelta(minutes=1)
PHONE, PROFILE = "+4930123456", "https://www.linkedin.com/in/ada"


async def forbid(company: Company, keyring: Keyring, kind: str) -> None:
    """By what only this lead of the company has, or all of its domain."""
    async with company.session() as session:
        email = await session.scalar(select(LeadRow.email))
        assert email
        values = {
            "email": email,
            "domain": email.rpartition("@")[2],
            "phone": PHONE,
            "linkedin": PROFILE,
        }
        key_hash = keyring.suppression_key(kind, values[kind])
        session.add(SuppressionRow(key_hash=key_hash, kind=kind, reason="manual"))


@pytest.fixture
async def order(company: Company, keyring: Keyring) -> ActionOrder:
    """The lead can be reached in every way."""
    order = await company.make_order()
    keys = [keyring.suppression_key("phone", PHONE), keyring.suppression_key("linkedin", PROFILE)]
    async with company.session() as session:
        lead = (await session.scalars(select(LeadRow))).one()
        lead.suppression_keys = [*lead.suppression_keys, *keys]
    return order


KINDS = pytest.mark.parametrize("kind", ["email", "domain", "phone", "linkedin"])


@KINDS
async def test_the_reserve_refuses_whom_it_is_forbidden_to_reach(
    *,
    send: Send,
    order: ActionOrder,
    gmail: FakeGmail,
    company: Company,
    keyring: Keyring,
    kind: str,
) -> None:
    await forbid(company, keyring, kind)

    assert await send(order) == Finished(reason=EndReason.SUPPRESSED)
    assert (gmail.sent, gmail.drafts, await company.actions()) == ([], {}, [])


@KINDS
async def test_the_last_check_sees_what_was_forbidden_after_the_reserve(
    *,
    send: Send,
    order: ActionOrder,
    gmail: FakeGmail,
    company: Company,
    keyring: Keyring,
    kind: str,
) -> None:
    gmail.drafting = asyncio.Barrier(2)
    sending = asyncio.ensure_future(send(order))
    async with asyncio.timeout(120):
        while not await company.actions():  # noqa: ASYNC110 - only the rows know
            await asyncio.sleep(0.01)
    await forbid(company, keyring, kind)
    await gmail.drafting.wait()

    assert await sending == Finished(reason=EndReason.SUPPRESSED)
    assert (gmail.sent, gmail.drafts) == ([], {})
    [action] = await company.actions()
    assert action.status is ActionStatus.ABANDONED


async def test_another_companys_suppressions_forbid_nothing(
    send: Send, order: ActionOrder, gmail: FakeGmail, stranger: Company, keyring: Keyring
) -> None:
    async with stranger.session() as session:
        key_hash = keyring.suppression_key("domain", "example.test")
        session.add(SuppressionRow(key_hash=key_hash, kind="domain", reason="manual"))

    await send(order)

    assert len(gmail.sent) == 1


@pytest.mark.parametrize("is_asked", [True, False])
async def test_a_mail_reports_home_only_when_its_campaign_asks(
    *, send: Send, gmail: FakeGmail, company: Company, keyring: Keyring, is_asked: bool
) -> None:
    text = '<p>Hello {{ lead.first_name }}, <a href="https://example.com/">look</a></p>'
    campaign = await company.make_campaign(text=text)
    async with company.session() as session:
        asked = {"track_opens": is_asked, "track_clicks": is_asked}
        await session.execute(update(CampaignRow).values(**asked))
    order = await company.make_order(campaign)

    await send(order)

    part = gmail.sent[0].headers.get_body(("html",))
    assert isinstance(part, EmailMessage)
    html = part.get_content()
    assert ("https://example.com/" in html) is not is_asked
    clicks = re.findall(r"/t/c/([\w-]+)", html)
    opens = re.findall(r"/t/o/([\w-]+)\.gif", html)
    assert (len(clicks), len(opens)) == ((1, 1) if is_asked else (0, 0))
    # The way out is never counted.
    assert re.search(r'href="[^"]*/u/[\w-]+"', html)
    if is_asked:
        link = read_tracked_link(keyring, TrackingKind.CLICK, clicks[0])
        assert link
        assert (link.recipient_id, link.step_id, link.target) == (
            order.recipient_id,
            campaign.step_ids[0],
            "https://example.com/",
        )
