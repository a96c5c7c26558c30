"""What a crash leaves behind is found and set going again."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from temporalio.exceptions import ApplicationError
from uuid_utils.compat import uuid7

from shared.contracts.inbound import InboundEvent
from shared.contracts.operations import LaunchOrder
from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, ActionRow, CampaignRow, InboundEventRow, RecipientRow
from shared.db.models.campaigns import CampaignStatus
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.domain.recipient import HoldReason
from shared.errors import ProviderError
from shared.inbound import receive_inbound
from shared.keyring import Keyring
from tests.activities.conftest import Send, at
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts

# A sweep takes the oldest first, and other tests leave things behind as well.
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


def ago(**time: int) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


async def test_pending_recipients_get_their_launcher(
    parts: Parts, company: Company, conductor: RecordingConductor
) -> None:
    campaign = await company.make_campaign()
    await company.make_recipient(campaign)

    await at(NOON).run(parts.sweep.launch)

    assert LaunchOrder(company_id=company.id, campaign_id=campaign.id) in conductor.launches


async def test_an_overdue_recipient_is_woken_once(
    parts: Parts, company: Company, order: ActionOrder, conductor: RecordingConductor
) -> None:
    async with company.session() as session:
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.next_at = LONG_AGO

    await at(NOON).run(parts.sweep.restart)
    await at(NOON).run(parts.sweep.restart)

    woken = [ref.recipient_id for ref, _ in conductor.wakes]
    assert woken.count(order.recipient_id) == 1


async def test_a_sleeping_or_closed_recipient_is_left_alone(
    parts: Parts, company: Company, order: ActionOrder, conductor: RecordingConductor
) -> None:
    sleeping = await company.make_order()
    async with company.session() as session:
        (await session.get_one(RecipientRow, sleeping.recipient_id)).next_at = ago(minutes=5)
        closed = await session.get_one(RecipientRow, order.recipient_id)
        closed.next_at, closed.closed_at = ago(days=1), NOON

    await at(NOON).run(parts.sweep.restart)

    woken = {ref.recipient_id for ref, _ in conductor.wakes}
    assert not woken & {sleeping.recipient_id, order.recipient_id}


async def test_a_signal_that_failed_is_repeated(
    parts: Parts,
    company: Company,
    order: ActionOrder,
    conductor: RecordingConductor,
    database: Database,
    keyring: Keyring,
) -> None:
    event = InboundEvent(
        company_id=company.id,
        account_id=None,
        provider="person",
        provider_event_id="1",
        kind=InboundKind.REPLY,
        recipient_id=order.recipient_id,
        occurred_at=NOON,
    )
    conductor.is_down = True
    with pytest.raises(ConnectionError):
        await receive_inbound(database, keyring, conductor, event)
    conductor.is_down = False
    async with company.session() as session:
        [stored] = await session.scalars(select(InboundEventRow))
        assert stored.signalled_at is None
        stored.stored_at = LONG_AGO

    await at(NOON).run(parts.sweep.signal)
    await at(NOON).run(parts.sweep.signal)

    stopped = [ref.recipient_id for ref, _ in conductor.stops]
    # Other tests leave unsignalled events behind as well.
    assert stopped.count(order.recipient_id) == 1


async def test_whoever_is_parked_in_vain_is_woken(
    parts: Parts, company: Company, conductor: RecordingConductor
) -> None:
    campaign = await company.make_campaign()
    order = await company.make_order(campaign)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.parked_at, row.hold_reason = LONG_AGO, HoldReason.CAMPAIGN_PAUSED
        (await session.get_one(CampaignRow, campaign.id)).status = CampaignStatus.PAUSED

    await at(NOON).run(parts.sweep.wake)
    assert order.recipient_id not in {ref.recipient_id for ref, _ in conductor.wakes}

    async with company.session() as session:
        (await session.get_one(CampaignRow, campaign.id)).status = CampaignStatus.ACTIVE
    await at(NOON).run(parts.sweep.wake)
    assert order.recipient_id in {ref.recipient_id for ref, _ in conductor.wakes}


async def test_who_had_no_account_goes_on_with_the_companys_first_one(
    parts: Parts, company: Company, conductor: RecordingConductor
) -> None:
    order = await company.make_order()
    async with company.session() as session:
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.parked_at, row.hold_reason = LONG_AGO, HoldReason.NO_ACCOUNT
        (await session.get_one(AccountRow, company.account_id)).is_primary = False

    await at(NOON).run(parts.sweep.wake)
    assert order.recipient_id not in {ref.recipient_id for ref, _ in conductor.wakes}

    async with company.session() as session:
        (await session.get_one(AccountRow, company.account_id)).is_primary = True
    await at(NOON).run(parts.sweep.wake)
    assert order.recipient_id in {ref.recipient_id for ref, _ in conductor.wakes}


async def test_an_action_that_was_left_open_is_found_and_its_recipient_goes_on(
    parts: Parts,
    send: Send,
    company: Company,
    order: ActionOrder,
    gmail: FakeGmail,
    conductor: RecordingConductor,
) -> None:
    gmail.lose_answer(on="drafts.send")
    with pytest.raises((ProviderError, ApplicationError)):
        await send(order, ago(minutes=1))
    assert order not in await at(NOON).run(parts.sweep.find_unsettled)
    async with company.session() as session:
        [action] = await company.actions()
        (await session.get_one(ActionRow, action.id)).attempted_at = LONG_AGO

    assert order in await at(NOON).run(parts.sweep.find_unsettled)
    await at(NOON).run(parts.sweep.wake_settled, order)
    assert [ref.recipient_id for ref, _ in conductor.wakes] == [order.recipient_id]


async def test_what_is_erased_meanwhile_wakes_nobody(
    parts: Parts, company: Company, conductor: RecordingConductor
) -> None:
    gone = ActionOrder(
        company_id=company.id,
        recipient_id=uuid7(),
        activity=(await company.make_order()).activity,
        step_id=None,
    )

    await at(NOON).run(parts.sweep.wake_settled, gone)

    assert conductor.wakes == []
