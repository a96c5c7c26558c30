"""An account whose mails come back is paused, and says why."""

from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from shared.contracts.inbound import InboundEvent
from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow
from shared.db.models.accounts import AccountStatus
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.domain.pacing import LEAST_TO_JUDGE
from shared.domain.recipient import HoldReason, Parked
from shared.inbound import receive_inbound
from shared.keyring import Keyring
from tests.activities.conftest import Send
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor

SOON = NOON + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        pytest.param(InboundKind.BOUNCE, 1, id="more than eight of a hundred bounce"),
        pytest.param(InboundKind.COMPLAINT, 1, id="two people complain"),
    ],
)
async def test_it_is_paused_and_says_why(
    *,
    send: Send,
    company: Company,
    database: Database,
    keyring: Keyring,
    conductor: RecordingConductor,
    kind: InboundKind,
    before: int,
) -> None:
    campaign = await company.make_campaign()
    orders = [await company.make_order(campaign) for _ in range(LEAST_TO_JUDGE)]
    for order in orders:
        await send(order)

    async def come_back(order: ActionOrder) -> AccountRow:
        event = InboundEvent(
            company_id=company.id,
            account_id=company.account_id,
            provider="test",
            provider_event_id=str(uuid7()),
            kind=kind,
            recipient_id=order.recipient_id,
            occurred_at=SOON,
        )
        await receive_inbound(database, keyring, conductor, event)
        async with company.session() as session:
            return await session.get_one(AccountRow, company.account_id)

    for order in orders[:before]:
        assert (await come_back(order)).status is AccountStatus.ACTIVE
    account = await come_back(orders[before])

    assert account.status is AccountStatus.NEEDS_ATTENTION
    assert f"{before + 1} of {LEAST_TO_JUDGE} mails in 7 days" in (account.status_reason or "")
    late = await company.make_order(campaign)
    assert await send(late, SOON) == Parked(reason=HoldReason.ACCOUNT_DOWN)
    async with company.session() as session:
        row = await session.get_one(AccountRow, company.account_id)
        row.status, row.trusted_from_at = AccountStatus.ACTIVE, SOON
    assert (await come_back(orders[before + 1])).status is AccountStatus.ACTIVE
