"""A provider that fails on one account opens a circuit for that account alone, and closes it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from uuid_utils.compat import uuid7

from activities.circuits import FIRST_BREAK, LONGEST_BREAK, PROBE, TRIES
from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, RecipientRow
from shared.db.repositories.situation_rows import find_situation
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.domain.explanation import explain
from shared.domain.recipient import Outcome, Planned
from shared.errors import ProviderError
from tests.activities.conftest import Send
from tests.factories import NOON, Campaign, Company
from tests.fakes.gmail import FakeGmail

Until = Callable[[ActionOrder], Awaitable[datetime]]


@pytest.fixture
async def campaign(company: Company) -> Campaign:
    return await company.make_campaign()


@pytest.fixture
def break_circuit(send: Send, gmail: FakeGmail) -> Until:
    """Let the calls for this recipient fail until the account is left alone; answers when."""

    async def fail(order: ActionOrder) -> datetime:
        for number in range(TRIES - 1):
            gmail.be_down(on="drafts.create")
            with pytest.raises(ProviderError):
                await send(order, NOON + timedelta(seconds=10 * number))
        gmail.be_down(on="drafts.create")
        last = NOON + timedelta(seconds=10 * TRIES)
        outcome = await send(order, last)
        assert isinstance(outcome, Planned)
        assert outcome.at == last + FIRST_BREAK
        return outcome.at

    return fail


async def account_of(company: Company) -> AccountRow:
    async with company.session() as session:
        return await session.get_one(AccountRow, company.account_id)


def planned(outcome: Outcome) -> Planned:
    assert isinstance(outcome, Planned)
    return outcome


async def test_a_provider_that_fails_again_and_again_is_left_alone_and_it_is_said_why(
    company: Company, campaign: Campaign, break_circuit: Until, database: Database
) -> None:
    order = await company.make_order(campaign)

    until = await break_circuit(order)

    account = await account_of(company)
    assert (account.blocked_until, account.failing_since) == (until, NOON)
    assert "fails again and again" in (account.block_reason or "")
    async with database.company_transaction(company.id) as connection:
        situation = await find_situation(connection, order.recipient_id, VersionShelf())
    now = until - FIRST_BREAK
    words = explain(situation.steps, situation.to_progress(now), now).because
    assert "its provider fails again and again" in words[-1]


async def test_nobody_calls_while_the_circuit_is_open(
    send: Send, company: Company, campaign: Campaign, break_circuit: Until, gmail: FakeGmail
) -> None:
    until = await break_circuit(await company.make_order(campaign))
    calls = gmail.requests.total()

    outcome = planned(await send(await company.make_order(campaign), until - timedelta(seconds=1)))

    assert outcome.at == until
    assert gmail.requests.total() == calls


async def test_one_tries_for_all_and_closes_it(
    send: Send, company: Company, campaign: Campaign, break_circuit: Until, gmail: FakeGmail
) -> None:
    """The others wait for the first, whose mail goes out; then theirs do."""
    first, second = await company.make_order(campaign), await company.make_order(campaign)
    until = await break_circuit(first)
    gmail.be_down(on="drafts.create")
    failed = planned(await send(second, until))
    assert failed.at == until + 2 * FIRST_BREAK

    later = planned(await send(first, failed.at))
    waits = await company.make_order(campaign)
    others = planned(await send(waits, failed.at + timedelta(seconds=1)))

    assert len(gmail.sent) == 2
    assert {later.step_id, others.step_id} == {campaign.step_ids[1]}
    account = await account_of(company)
    assert (account.failures, account.blocked_until, account.block_reason) == (0, None, None)


async def test_who_comes_while_somebody_tries_waits(
    send: Send, company: Company, campaign: Campaign, break_circuit: Until, gmail: FakeGmail
) -> None:
    first, second = await company.make_order(campaign), await company.make_order(campaign)
    until = await break_circuit(first)
    gmail.may_send.clear()
    trying = asyncio.ensure_future(send(first, until))
    await gmail.is_sending.wait()

    outcome = planned(await send(second, until))
    gmail.may_send.set()
    await trying

    assert outcome.at == until + PROBE
    assert len(gmail.sent) == 1


async def test_the_break_grows_to_its_longest(
    send: Send, company: Company, campaign: Campaign, break_circuit: Until, gmail: FakeGmail
) -> None:
    order = await company.make_order(campaign)
    at, breaks = await break_circuit(order), []
    for _ in range(7):
        gmail.be_down(on="drafts.create")
        outcome = planned(await send(order, at))
        breaks.append(outcome.at - at)
        at = outcome.at

    assert breaks == [min(FIRST_BREAK * 2**n, LONGEST_BREAK) for n in range(1, 8)]


async def test_the_other_accounts_go_on(
    send: Send, company: Company, campaign: Campaign, break_circuit: Until, gmail: FakeGmail
) -> None:
    await break_circuit(await company.make_order(campaign))
    other = AccountRow(
        id=uuid7(), user_id=company.user_id, kind=AccountKind.GMAIL, email="lee@acme.test"
    )
    order = await company.make_order(campaign)
    async with company.session() as session:
        session.add(other)
        await session.flush()
        row = RecipientRow.id == order.recipient_id
        await session.execute(update(RecipientRow).where(row).values(account_id=other.id))

    await send(order, NOON + timedelta(minutes=1))

    assert len(gmail.sent) == 1


async def test_a_moments_trouble_opens_nothing(
    send: Send, company: Company, campaign: Campaign, gmail: FakeGmail
) -> None:
    """However many fail at once."""
    order = await company.make_order(campaign)
    for _ in range(3 * TRIES):
        gmail.be_down(on="drafts.create")
        with pytest.raises(ProviderError):
            await send(order)

    await send(order, NOON + timedelta(seconds=5))

    assert len(gmail.sent) == 1
    assert (await account_of(company)).failures == 0
