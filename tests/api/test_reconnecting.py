"""Whoever waits for an account goes on once it is connected again."""

import httpx

from shared.db.models import AccountRow, RecipientRow
from shared.db.models.accounts import AccountStatus
from shared.db.session import Database
from shared.domain.recipient import HoldReason
from tests.api.google import FakeGoogle
from tests.api.test_accounts import connect, gmail_of
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.wakings import tell_everybody


async def test_connecting_again_wakes_the_account_and_who_waits_for_it(
    *,
    api: httpx.AsyncClient,
    anybody: httpx.AsyncClient,
    google: FakeGoogle,
    company: Company,
    conductor: RecordingConductor,
    database: Database,
) -> None:
    await connect(api, anybody, google)
    account = await gmail_of(api)
    parked = await company.make_recipient(await company.make_campaign())
    async with company.session() as session:
        row = await session.get_one(AccountRow, account["id"])
        row.status, row.status_reason = AccountStatus.NEEDS_ATTENTION, "the password changed"
        recipient = await session.get_one(RecipientRow, parked.recipient_id)
        recipient.launched_at = recipient.parked_at = NOON
        recipient.account_id, recipient.hold_reason = row.id, HoldReason.ACCOUNT_DOWN

    await connect(api, anybody, google)

    again = await gmail_of(api)
    assert (again["id"], again["status"], again["status_reason"]) == (account["id"], "active", None)
    await tell_everybody(database, conductor)
    assert [ref for ref, _ in conductor.wakes] == [parked]
