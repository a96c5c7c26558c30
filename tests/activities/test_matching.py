"""Whose an answer is: by thread, then by what it answers, then by the address in a campaign."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from shared.contracts.inbound import InboundEvent
from shared.contracts.recipient import RecipientRef
from shared.db.models import AccountRow, ActionRow, ActionStatus, LeadRow
from shared.db.repositories.matching import find_owner
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.domain.inbound import InboundKind
from tests.factories import NOON, Company


@dataclass(frozen=True, slots=True)
class Written:
    """Two leads and a second mailbox. Names are of the mails below."""

    recipients: dict[str, RecipientRef]
    accounts: dict[str, UUID]
    addresses: dict[str, str]


# mail: whose, which mailbox, thread, Message-ID, days after noon, status
MAILS: dict[str, tuple[str, str, str | None, str | None, int, ActionStatus]] = {
    "ada spring": ("ada", "sam", "t1", "<m1@acme>", 0, ActionStatus.SENT),
    "ada autumn": ("ada", "kim", "t2", "<m2@acme>", 5, ActionStatus.SENT),
    "bob spring": ("bob", "sam", "t3", "<m3@acme>", 1, ActionStatus.SENT),
    # A colleague of Ada was written to in her thread.
    "bob autumn": ("bob", "sam", "t1", "<m4@acme>", 6, ActionStatus.SENT),
    "eve refused": ("eve", "sam", None, None, 0, ActionStatus.REFUSED),
    "dan reserved": ("dan", "sam", "t9", None, 0, ActionStatus.RESERVED),
}


@pytest.fixture
async def written(company: Company) -> Written:
    kim = uuid7()
    async with company.session() as session:
        session.add(
            AccountRow(
                id=kim, user_id=company.user_id, kind=AccountKind.GMAIL, email="kim@acme.test"
            )
        )
    accounts = {"sam": company.account_id, "kim": kim}
    people = {name: await company.make_lead() for name in ("ada", "bob", "eve", "dan")}
    campaigns = {name: await company.make_campaign() for name in ("spring", "autumn", "other")}
    recipients: dict[str, RecipientRef] = {}
    for mail, (whose, mailbox, thread, message_id, days, status) in MAILS.items():
        campaign = campaigns.get(mail.split()[1], campaigns["other"])
        recipients[mail] = await company.make_recipient(campaign, lead_id=people[whose])
        instant = NOON + timedelta(days=days)
        async with company.session() as session:
            session.add(
                ActionRow(
                    id=uuid7(),
                    recipient_id=recipients[mail].recipient_id,
                    campaign_id=campaign.id,
                    step_id=campaign.step_ids[0],
                    account_id=accounts[mailbox],
                    version_id=uuid7(),
                    status=status,
                    planned_at=instant,
                    attempted_at=instant,
                    settled_at=instant,
                    thread_id=thread,
                    message_id=message_id,
                )
            )
    async with company.session() as session:
        leads = {name: await session.get_one(LeadRow, id_) for name, id_ in people.items()}
    addresses = {name: lead.email or "" for name, lead in leads.items()}
    return Written(recipients, accounts, addresses)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({"account": "sam", "thread_id": "t3"}, "bob spring", id="by its thread"),
        pytest.param({"account": "kim", "thread_id": "t3"}, None, id="a thread is of one mailbox"),
        pytest.param({"thread_id": "t3"}, "bob spring", id="a thread of a job without a mailbox"),
        pytest.param(
            {"account": "sam", "thread_id": "t3", "address": "nobody@home.test"},
            "bob spring",
            id="a thread beats a foreign address",
        ),
        pytest.param(
            {"account": "sam", "thread_id": "t3", "message_ids": ("<m1@acme>",)},
            "bob spring",
            id="a thread beats what it answers",
        ),
        pytest.param(
            {"account": "sam", "thread_id": "t1", "address": "ada"},
            "ada spring",
            id="two in one thread: who wrote it",
        ),
        pytest.param(
            {"account": "sam", "thread_id": "t1", "address": "someone@lead.test"},
            "bob autumn",
            id="two in one thread and neither wrote it: the newest",
        ),
        pytest.param(
            {"account": "sam", "thread_id": "new", "message_ids": ("<m1@acme>",)},
            "ada spring",
            id="by what it answers",
        ),
        pytest.param(
            {"message_ids": ("<m1@acme>", "<m2@acme>", "<m3@acme>")},
            "ada spring",
            id="of several references the nearest, not the newest",
        ),
        pytest.param(
            {"message_ids": ("<foreign@x>", "<m3@acme>")},
            "bob spring",
            id="a reference that is not ours is passed over",
        ),
        pytest.param(
            {"message_ids": ("<m3@acme>",), "address": "ada"},
            "bob spring",
            id="what it answers beats the address",
        ),
        pytest.param({"account": "sam", "address": "bob"}, "bob autumn", id="by the address"),
        pytest.param(
            {"account": "sam", "address": "ada"},
            "ada spring",
            id="in two campaigns: the one of this mailbox",
        ),
        pytest.param(
            {"account": "kim", "address": "ada"}, "ada autumn", id="the other mailbox's campaign"
        ),
        pytest.param({"address": "ada"}, "ada autumn", id="no mailbox: the newest"),
        pytest.param(
            {"account": "sam", "address": "dan"}, "dan reserved", id="a mail that may have left"
        ),
        pytest.param(
            {"account": "sam", "address": "eve"}, None, id="a mail that never left is not answered"
        ),
        pytest.param({"account": "sam", "address": "who@home.test"}, None, id="a stranger"),
        pytest.param({"account": "sam", "thread_id": "tx"}, None, id="a thread of nobody"),
        pytest.param({}, None, id="nothing is said"),
    ],
)
async def test_an_answer_finds_its_recipient(
    database: Database,
    company: Company,
    written: Written,
    said: dict[str, Any],
    expected: str | None,
) -> None:
    account = said.pop("account", None) if (said := dict(said)) else None
    address = said.get("address")
    event = InboundEvent(
        **said | {"address": written.addresses.get(address or "", address)},
        company_id=company.id,
        account_id=written.accounts[account] if account else None,
        provider="test",
        provider_event_id="1",
        kind=InboundKind.REPLY,
        occurred_at=datetime.now(UTC),
    )

    async with database.company_transaction(company.id) as connection:
        found = await find_owner(connection, event)

    names = {ref.recipient_id: name for name, ref in written.recipients.items()}
    assert (names[found.id] if found else None) == expected


async def test_another_companys_mails_are_never_answered(
    database: Database, stranger: Company, written: Written
) -> None:
    event = InboundEvent(
        company_id=stranger.id,
        account_id=None,
        provider="test",
        provider_event_id="1",
        kind=InboundKind.REPLY,
        occurred_at=datetime.now(UTC),
        thread_id="t3",
        message_ids=("<m3@acme>",),
        address=written.addresses["bob"],
    )

    async with database.company_transaction(stranger.id) as connection:
        assert await find_owner(connection, event) is None
