"""Drafts that an attempt left behind are deleted; everybody else's are left alone."""

from datetime import timedelta
from email.message import EmailMessage

import pytest

from shared.contracts.recipient import ActionOrder
from shared.errors import ProviderError
from shared.tokens import AccountRef
from tests.activities.conftest import Send, at
from tests.factories import NOON, Company
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts

LATER = NOON + timedelta(minutes=1)
NEXT_DAY = NOON + timedelta(days=1)


@pytest.fixture
def gmail() -> FakeGmail:
    return FakeGmail(clock=lambda: NOON)


@pytest.fixture
def account(company: Company) -> AccountRef:
    return AccountRef(company_id=company.id, account_id=company.account_id, user_id=company.user_id)


async def test_a_draft_that_nobody_came_to_own_is_deleted(
    send: Send, order: ActionOrder, gmail: FakeGmail, parts: Parts, account: AccountRef
) -> None:
    gmail.lose_answer(on="drafts.create")
    with pytest.raises(ProviderError):
        await send(order)
    await send(order, LATER)
    assert (len(gmail.drafts), len(gmail.sent)) == (1, 1)

    assert await parts.tidying.tidy_mailbox(account, NEXT_DAY) == 1
    assert (len(gmail.drafts), len(gmail.sent)) == (0, 1)


async def test_a_young_draft_may_be_somebodys_in_a_moment(
    send: Send, order: ActionOrder, gmail: FakeGmail, parts: Parts, account: AccountRef
) -> None:
    gmail.lose_answer(on="drafts.create")
    with pytest.raises(ProviderError):
        await send(order)

    assert await parts.tidying.tidy_mailbox(account, LATER) == 0
    assert len(gmail.drafts) == 1


async def test_a_draft_that_an_action_owns_is_kept_however_old(
    send: Send, order: ActionOrder, gmail: FakeGmail, parts: Parts, account: AccountRef
) -> None:
    gmail.lose_request(on="drafts.send")
    with pytest.raises(ProviderError):
        await send(order)

    assert await parts.tidying.tidy_mailbox(account, NEXT_DAY) == 0
    await send(order, NEXT_DAY)
    assert len(gmail.sent) == 1


async def test_a_private_draft_is_opened_once_and_left_alone(
    gmail: FakeGmail, parts: Parts, account: AccountRef
) -> None:
    private = EmailMessage()
    private["Subject"] = "To my love"
    gmail.box.add_draft(private.as_bytes(), None)

    assert await parts.tidying.tidy_mailbox(account, NEXT_DAY) == 0
    assert await parts.tidying.tidy_mailbox(account, NEXT_DAY) == 0
    assert len(gmail.drafts) == 1
    assert gmail.requests["drafts.get"] == 1


async def test_going_through_all_mailboxes_survives_one_that_cannot_be_read(
    send: Send, order: ActionOrder, gmail: FakeGmail, parts: Parts
) -> None:
    gmail.lose_answer(on="drafts.create")
    with pytest.raises(ProviderError):
        await send(order)
    gmail.be_down(on="drafts.list")

    assert await at(NEXT_DAY).run(parts.tidying.tidy) >= 0
    await at(NEXT_DAY).run(parts.tidying.tidy)
    assert gmail.drafts == {}
