"""Everything that people do in a company meanwhile, and what providers know of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Row, text
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.conducting import Conducting
from api.schemas.recipients import Resolution
from api.services.steering import SteeringService
from api.services.todo_steps import Report
from api.services.todos import TodoService
from deploy.chaos.faults import STOPS, Fault, Place
from deploy.chaos.providers import Providers
from deploy.sandbox.faulty_mailbox import Mailbox, StoredMail
from shared.conductor import Conductor
from shared.contracts.inbound import InboundEvent
from shared.contracts.recipient import RecipientRef
from shared.db.models import CampaignRow, TodoStatus
from shared.db.repositories.versions import publish_version
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.errors import Conflict, NotFound
from shared.inbound import receive_inbound
from shared.keyring import Keyring

SELLERS = {
    Place.GMAIL: "sam@acme.test",
    Place.SMTP: "sue@acme.test",
    Place.LINKEDIN: "linkedin.com/in/sam",
    Place.BLAND: "Bland",
}
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
# Behind the point of no return of SMTP nobody takes it up again when the recipient has ended.
# A mail whose mark was taken back is known not to have been sent: the sweep has it sent again.
_UNSURE = text(
    "select id, recipient_id, step_id, status from actions"
    " where (status = 'unconfirmed' and (activity <> 'smtp.send' or draft_id is not null))"
    " or (status = 'reserved' and draft_id like 'smtp/%')"
)
_OPEN_TODO = text("select id from todos where recipient_id = :recipient_id and status = 'open'")
_IS_MARKED = text(
    "select exists (select from actions where recipient_id = :recipient_id"
    " and draft_id like 'smtp/%' and status in ('reserved', 'unconfirmed'))"
)
_CLOCK = text("select clock_timestamp()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The lead of one run in a campaign of its own. `numbers`: its steps, from 1."""

    address: str
    phone: str
    public_id: str
    lead_id: UUID
    mail: Place
    recipient: RecipientRef
    numbers: Mapping[UUID, int]


class World:
    """`database` reaches the rows as the product does, on connections that nobody cuts."""

    def __init__(
        self, *, database: Database, keyring: Keyring, conductor: Conductor, providers: Providers
    ) -> None:
        self.company_id = uuid7()
        self.accounts = {place: uuid7() for place in Place}
        self.database = database
        self.providers = providers
        self._keyring = keyring
        self._conductor = conductor

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
        for account_id in self.accounts.values():
            await self._execute(_RECONNECT, id=account_id)

    def _box_of(self, person: Person) -> Mailbox:
        is_gmail = person.mail is Place.GMAIL
        return self.providers.gmail.box if is_gmail else self.providers.postbox.box

    def letters_to(self, person: Person) -> list[StoredMail]:
        """What has left for this person."""
        return [mail for mail in self._box_of(person).sent if mail.headers["To"] == person.address]

    def drafts_for(self, person: Person) -> list[tuple[str, StoredMail]]:
        drafts = self.providers.gmail.drafts.items()
        return [(id_, mail) for id_, mail in drafts if mail.headers["To"] == person.address]

    async def do_todo(self, person: Person) -> bool:
        """Whoever has the open to-do of this person says that it is done."""
        asked = {"recipient_id": person.recipient.recipient_id}
        async with self.database.company_transaction(self.company_id) as connection:
            todo_id = await connection.scalar(_OPEN_TODO, asked)
        if todo_id is None:
            return False
        todos = TodoService(database=self.database, conducting=self._conducting())
        try:
            await todos.settle(self._caller(), todo_id, Report(status=TodoStatus.DONE))
        except (Conflict, NotFound):
            # It was cancelled, or its lead erased, at this moment.
            return False
        return True

    def _conducting(self) -> Conducting:
        return Conducting(database=self.database, conductor=self._conductor)

    def _caller(self) -> Caller:
        return Caller(company_id=self.company_id)

    async def is_marked(self, person: Person) -> bool:
        """Whether the point of no return of some mail is behind us, and nobody knows more."""
        async with self.database.company_transaction(self.company_id) as connection:
            marked = {"recipient_id": person.recipient.recipient_id}
            return bool(await connection.scalar(_IS_MARKED, marked))

    async def unsure(self) -> Sequence[Row[Any]]:
        """Actions of which nobody knows what became of them."""
        async with self.database.company_transaction(self.company_id) as connection:
            return (await connection.execute(_UNSURE)).all()

    async def answer(self, person: Person, action_id: UUID, *, is_sent: bool) -> None:
        """A person says what has become of it."""
        steering = SteeringService(database=self.database, conducting=self._conducting())
        said = Resolution.SENT if is_sent else Resolution.RESEND
        recipient = person.recipient
        ids = (recipient.campaign_id, recipient.recipient_id, action_id)
        await steering.resolve(self._caller(), *ids, said)

    async def clock(self) -> datetime:
        """The database's own, which the ledger's times come from."""
        async with self.database.company_transaction(self.company_id) as connection:
            at: datetime = (await connection.execute(_CLOCK)).scalar_one()
        return at

    async def _receive(self, kind: InboundKind, person: Person, *, times: int) -> None:
        """`times` together, as when a webhook is delivered again before it was answered."""
        event = InboundEvent(
            company_id=self.company_id,
            account_id=self.accounts[person.mail],
            provider="chaos",
            provider_event_id=str(uuid7()),
            kind=kind,
            occurred_at=self.providers.gmail.box.clock(),
            recipient_id=person.recipient.recipient_id,
        )
        door = (self.database, self._keyring, self._conductor)
        await asyncio.gather(*(receive_inbound(*door, event) for _ in range(times)))

    def _answer_by_mail(self, person: Person) -> bool:
        mails = self.letters_to(person)
        if not mails:
            return False
        answer = EmailMessage(policy=SMTP)
        answer["From"], answer["To"] = person.address, SELLERS[person.mail]
        answer["Subject"] = f"Re: {mails[-1].headers['Subject']}"
        answer["Message-ID"] = f"<{uuid7()}@example.test>"
        answer["In-Reply-To"] = mails[-1].message_id
        answer.set_content("Tell me more.")
        box = self._box_of(person)
        box.deliver(answer.as_bytes(), thread_id=mails[-1].thread_id)
        return True

    def _delete_draft(self, person: Person) -> bool:
        for draft_id, mail in list(self.providers.gmail.drafts.items()):
            if mail.headers["To"] == person.address:
                self.providers.gmail.box.delete_draft(draft_id)
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
