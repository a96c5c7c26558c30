"""The company that a group of runs happens to, and everything that people do in it meanwhile."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from uuid import UUID

from sqlalchemy import Executable, text
from uuid_utils.compat import uuid7

from deploy.chaos.faults import STOPS, Fault, Plan
from deploy.sandbox.faulty_gmail import FakeGmail
from shared.conductor import Conductor
from shared.contracts.inbound import InboundEvent
from shared.contracts.recipient import RecipientRef
from shared.db.models import (
    AccountRow,
    CampaignRow,
    CompanyRow,
    LeadRow,
    RecipientRow,
    StepRow,
    UserRow,
)
from shared.db.models.accounts import AccountKind
from shared.db.models.campaigns import CampaignStatus, CampaignType, Channel
from shared.db.repositories.versions import publish_version
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.inbound import receive_inbound
from shared.keyring import Keyring
from shared.suppression import lead_keys

WAIT_SECONDS = 3 * 86_400
SELLER = "sam@acme.test"
KIND_OF = {
    Fault.REPLIED: InboundKind.REPLY,
    Fault.REPLIED_WHILE_SENDING: InboundKind.REPLY,
    Fault.REPORTED_TWICE: InboundKind.REPLY,
    Fault.UNSUBSCRIBED: InboundKind.UNSUBSCRIBE,
    Fault.BOUNCED: InboundKind.BOUNCE,
}

_PAUSE = text("update campaigns set status = 'paused' where id = :id and status = 'active'")
_RESUME = text("update campaigns set status = 'active' where id = :id and status = 'paused'")
_RECONNECT = text("update accounts set status = 'active', status_reason = null where id = :id")
_EDIT = text(
    "update steps set message_template = message_template || ' (new words)'"
    " where campaign_id = :campaign_id"
)
_REMOVE = text("delete from steps where campaign_id = :campaign_id and id = :step_id")
_ERASE_RECIPIENT = text("delete from recipients where id = :id")
_ERASE_LEAD = text("delete from leads where id = :id")
_CLOCK = text("select clock_timestamp()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The lead of one run in a campaign of its own. `numbers`: its steps, from 1."""

    address: str
    lead_id: UUID
    recipient: RecipientRef
    numbers: Mapping[UUID, int]


class World:
    """`database` reaches the rows as the product does, on connections that nobody cuts."""

    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        conductor: Conductor,
        gmail: FakeGmail,
        wait_seconds: int = WAIT_SECONDS,
    ) -> None:
        self.company_id, self.account_id = uuid7(), uuid7()
        self.database = database
        self.gmail = gmail
        self._keyring = keyring
        self._conductor = conductor
        self._wait_seconds = wait_seconds

    async def settle_down(self, plans: Sequence[Plan], started_at: datetime) -> list[Person]:
        """Make the company with its mailbox, and one person for each plan."""
        user_id = uuid7()
        async with self.database.outside_session() as session:
            email = f"{user_id}@acme.test"
            session.add(UserRow(id=user_id, email=email, name="Sam", password_hash="-"))  # noqa: S106 - nobody logs in
        async with self.database.company_session(self.company_id) as session:
            session.add(CompanyRow(id=self.company_id, name="Acme"))
            await session.flush()
            session.add(
                AccountRow(
                    id=self.account_id,
                    user_id=user_id,
                    kind=AccountKind.GMAIL,
                    email=SELLER,
                    is_primary=True,
                    # High enough never to matter, and yet attempts have to queue for it.
                    daily_limit=10_000,
                )
            )
            await session.flush()
        return [await self._welcome(plan, started_at) for plan in plans]

    async def _welcome(self, plan: Plan, started_at: datetime) -> Person:
        address = f"lead-{plan.run}@example.test"
        lead = LeadRow(
            id=uuid7(),
            email=address,
            first_name="Ada",
            suppression_keys=lead_keys(self._keyring, email=address),
        )
        campaign = CampaignRow(
            id=uuid7(),
            name=f"Run {plan.run}",
            type=CampaignType.EMAIL,
            status=CampaignStatus.ACTIVE,
            account_id=self.account_id,
        )
        steps = [
            _step(campaign.id, number, self._wait_seconds) for number in range(1, plan.steps + 1)
        ]
        recipient = RecipientRow(
            id=uuid7(),
            campaign_id=campaign.id,
            lead_id=lead.id,
            started_at=started_at,
            launched_at=started_at,
        )
        async with self.database.company_session(self.company_id) as session:
            session.add_all([lead, campaign])
            await session.flush()
            session.add_all([*steps, recipient])
            await session.flush()
            campaign.version_id = await publish_version(session, campaign.id)
        return Person(
            address=address,
            lead_id=lead.id,
            recipient=RecipientRef(
                company_id=self.company_id, campaign_id=campaign.id, recipient_id=recipient.id
            ),
            numbers={step.id: step.position for step in steps},
        )

    async def do(self, fault: Fault, person: Person, step_id: UUID | None) -> bool:
        """Do what the fault says. False: there was nothing yet to do it to."""
        campaign_id = person.recipient.campaign_id
        match fault:
            case Fault.REPLIED_IN_MAILBOX:
                return self._answer_by_mail(person)
            case Fault.DRAFT_DELETED:
                return self._delete_draft(person)
            case Fault.PAUSED:
                await self._execute(_PAUSE, id=campaign_id)
            case Fault.EDITED:
                await self._publish(_EDIT, campaign_id)
            case Fault.STEP_REMOVED:
                await self._publish(_REMOVE, campaign_id, step_id=step_id)
            case Fault.ERASED:
                await self._erase(person)
            case _:
                assert fault in STOPS  # noqa: S101 - every deed has its case
                times = 2 if fault is Fault.REPORTED_TWICE else 1
                await self._receive(KIND_OF[fault], person, times=times)
        return True

    async def resume(self, person: Person) -> None:
        await self._execute(_RESUME, id=person.recipient.campaign_id)

    async def reconnect(self) -> None:
        await self._execute(_RECONNECT, id=self.account_id)

    async def clock(self) -> datetime:
        """The database's own, which the ledger's times come from."""
        async with self.database.company_transaction(self.company_id) as connection:
            at: datetime = (await connection.execute(_CLOCK)).scalar_one()
        return at

    async def _receive(self, kind: InboundKind, person: Person, *, times: int) -> None:
        """`times` together, as when a webhook is delivered again before it was answered."""
        event = InboundEvent(
            company_id=self.company_id,
            account_id=self.account_id,
            provider="chaos",
            provider_event_id=str(uuid7()),
            kind=kind,
            occurred_at=self.gmail.box.clock(),
            recipient_id=person.recipient.recipient_id,
        )
        door = (self.database, self._keyring, self._conductor)
        await asyncio.gather(*(receive_inbound(*door, event) for _ in range(times)))

    def _answer_by_mail(self, person: Person) -> bool:
        mails = [mail for mail in self.gmail.sent if mail.headers["To"] == person.address]
        if not mails:
            return False
        answer = EmailMessage(policy=SMTP)
        answer["From"], answer["To"] = person.address, SELLER
        answer["Subject"] = f"Re: {mails[-1].headers['Subject']}"
        answer["Message-ID"] = f"<{uuid7()}@example.test>"
        answer["In-Reply-To"] = mails[-1].message_id
        answer.set_content("Tell me more.")
        self.gmail.box.deliver(answer.as_bytes(), thread_id=mails[-1].thread_id)
        return True

    def _delete_draft(self, person: Person) -> bool:
        for draft_id, mail in list(self.gmail.drafts.items()):
            if mail.headers["To"] == person.address:
                self.gmail.box.delete_draft(draft_id)
                return True
        return False

    async def _publish(self, change: Executable, campaign_id: UUID, **values: object) -> None:
        async with self.database.company_session(self.company_id) as session:
            campaign = await session.get_one(CampaignRow, campaign_id, with_for_update=True)
            await session.execute(change, {"campaign_id": campaign_id, **values})
            campaign.version_id = await publish_version(session, campaign_id)

    async def _erase(self, person: Person) -> None:
        async with self.database.company_transaction(self.company_id) as connection:
            await connection.execute(_ERASE_RECIPIENT, {"id": person.recipient.recipient_id})
            await connection.execute(_ERASE_LEAD, {"id": person.lead_id})

    async def _execute(self, statement: Executable, **values: object) -> None:
        async with self.database.company_transaction(self.company_id) as connection:
            await connection.execute(statement, values)


def _step(campaign_id: UUID, number: int, wait_seconds: int) -> StepRow:
    return StepRow(
        id=uuid7(),
        campaign_id=campaign_id,
        position=number,
        channel=Channel.EMAIL,
        subject="Hello" if number == 1 else None,
        # What tells the steps' mails apart without asking our own keys.
        message_template=f"Hello {{{{ lead.first_name }}}}, this is mail number [{number}].",
        delay_seconds=0 if number == 1 else wait_seconds,
    )
