"""Is an account fit to send? What DNS and our rows say, and what to do about it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.mail_dns import DnsResolver, DnsUnanswered
from shared.db.models import AccountRow
from shared.providers.google_oauth import NEEDED_SCOPES
from tests.api.conftest import make_action
from tests.factories import Company
from tests.fakes.zone import GOOD, FakeZone

Json = dict[str, Any]


async def check(api: httpx.AsyncClient, company: Company) -> Json:
    answer = await api.get(f"/api/accounts/{company.account_id}/check")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def make_fit(company: Company) -> None:
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        account.scopes = list(NEEDED_SCOPES)
        account.last_polled_at = datetime.now(UTC)
        account.daily_limit, account.daily_ceiling = 40, 2_000


async def test_an_account_that_is_fit_has_nothing_to_mend(
    api: httpx.AsyncClient, company: Company, zone: FakeZone
) -> None:
    zone.load(GOOD)
    await make_fit(company)
    campaign = await company.make_campaign()
    ref = await company.make_recipient(campaign)
    async with company.session() as session:
        session.add(
            make_action(campaign, company, ref.recipient_id, attempted_at=datetime.now(UTC))
        )

    found = await check(api, company)

    assert (found["is_ok"], found["domain"]) == (True, "acme.test")
    assert found["dns"]["mx"]["found"] == ["10 mx2.acme.test.", "5 mx1.acme.test."]
    assert found["dns"]["spf"]["found"] == ["v=spf1 include:_spf.google.com ~all"]
    assert found["dns"]["dkim"]["found"] == ["google._domainkey.acme.test"]
    assert found["dns"]["dmarc"]["is_ok"] is True
    assert found["quota"] == {
        "daily_limit": 40,
        "ceiling": 2000,
        "sent_today": 1,
        "left": 39,
        "blocked_until": None,
        "block_reason": None,
    }
    assert found["last_poll"]["is_ok"] is True


async def test_a_bare_domain_lacks_everything_and_hears_what_to_do(
    api: httpx.AsyncClient, company: Company
) -> None:
    found = await check(api, company)

    assert found["is_ok"] is False
    for name in ("mx", "spf", "dkim", "dmarc"):
        assert found["dns"][name]["is_ok"] is False, name
        assert "acme.test" in found["dns"][name]["remedy"]
    assert found["last_poll"]["is_ok"] is False
    assert found["scopes"]["missing"] == list(NEEDED_SCOPES)


@pytest.mark.parametrize(
    ("record", "name", "words"),
    [
        ("acme.test. 60 IN MX 0 .", "mx", "takes no mail"),
        ('acme.test. 60 IN TXT "v=spf1 +all"', "spf", "everybody"),
        (
            'acme.test. 60 IN TXT "v=spf1 ~all"\nacme.test. 60 IN TXT "v=spf1 -all"',
            "spf",
            "several",
        ),
        ('google._domainkey.acme.test. 60 IN TXT "v=DKIM1; p="', "dkim", "No key"),
        ('_dmarc.acme.test. 60 IN TXT "v=DMARC1; rua=mailto:x@acme.test"', "dmarc", "policy"),
    ],
)
async def test_a_record_that_does_not_work_is_no_record(
    *, api: httpx.AsyncClient, company: Company, zone: FakeZone, record: str, name: str, words: str
) -> None:
    zone.load(record)

    finding = (await check(api, company))["dns"][name]

    assert finding["is_ok"] is False
    assert words in finding["remedy"]


async def test_the_policy_of_the_domain_above_counts(
    api: httpx.AsyncClient, company: Company, zone: FakeZone
) -> None:
    zone.load(GOOD)
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        account.send_as = "sam@mail.acme.test"

    found = await check(api, company)

    assert (found["domain"], found["dns"]["dmarc"]["is_ok"]) == ("mail.acme.test", True)
    assert found["dns"]["spf"]["is_ok"] is False


async def test_name_servers_that_do_not_answer_are_no_finding(
    api: httpx.AsyncClient, company: Company, zone: FakeZone
) -> None:
    zone.is_down = True

    found = (await check(api, company))["dns"]

    assert [finding["is_ok"] for finding in found.values()] == [None] * 4


async def test_a_mailbox_that_nobody_reads_is_said(
    api: httpx.AsyncClient, company: Company
) -> None:
    await make_fit(company)
    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        account.last_polled_at = datetime.now(UTC) - timedelta(hours=1)

    found = (await check(api, company))["last_poll"]

    assert found["is_ok"] is False
    assert "status_reason" in found["remedy"]


async def test_a_name_that_cannot_be_asked_for_is_unanswered() -> None:
    with pytest.raises(DnsUnanswered):
        await DnsResolver().records("a..b", "TXT")
