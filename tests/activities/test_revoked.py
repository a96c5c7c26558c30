"""A connection that Google no longer accepts: who waits, why, and what sets it going again."""

import httpx
import pytest

from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, RecipientRow
from shared.db.models.accounts import AccountStatus
from shared.db.session import Database
from shared.domain.recipient import HoldReason, Parked
from shared.errors import AuthExpired
from shared.keyring import Keyring
from tests.activities.conftest import Send, at
from tests.activities.test_sweep import LONG_AGO
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts, make_parts

REASON = "Google no longer accepts this connection: connect the account again."


class Revoked:
    """What `invalid_grant` is translated to, as tests/providers/test_google_oauth.py shows."""

    async def access_token(self, *, rejected: str | None = None) -> str:
        raise AuthExpired(REASON)


@pytest.fixture
def revoked(
    database: Database,
    keyring: Keyring,
    conductor: RecordingConductor,
    gmail: FakeGmail,
    http: httpx.AsyncClient,
) -> Parts:
    return make_parts(
        database=database,
        keyring=keyring,
        conductor=conductor,
        http=http,
        token_source_of=lambda _: Revoked(),
        gmail_endpoint=gmail.endpoint,
        poll_seconds=1,
    )


async def test_its_recipients_wait_with_the_reason_until_it_is_connected_again(
    *,
    revoked: Parts,
    parts: Parts,
    send: Send,
    order: ActionOrder,
    company: Company,
    gmail: FakeGmail,
    conductor: RecordingConductor,
) -> None:
    assert await at(NOON).run(revoked.gmail.send, order) == Parked(reason=HoldReason.ACCOUNT_DOWN)

    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
        assert (account.status, account.status_reason) == (AccountStatus.NEEDS_ATTENTION, REASON)
        account.status, account.status_reason = AccountStatus.ACTIVE, None
        row = await session.get_one(RecipientRow, order.recipient_id)
        row.parked_at = LONG_AGO
    await at(NOON).run(parts.sweep.wake)
    assert order.recipient_id in {ref.recipient_id for ref, _ in conductor.wakes}
    await send(order)
    assert len(gmail.sent) == 1


async def test_reading_it_marks_it_too(revoked: Parts, company: Company) -> None:
    await at(NOON).run(revoked.inbox.reader.poll, company.id, company.account_id, NOON)

    async with company.session() as session:
        account = await session.get_one(AccountRow, company.account_id)
    assert (account.status, account.status_reason) == (AccountStatus.NEEDS_ATTENTION, REASON)
