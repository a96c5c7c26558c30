"""Mail over SMTP. Nothing there can be looked up, so the point of no return is marked before it.

The mark is the kept draft's id, which names no draft: it is committed just before DATA. Whoever
finds one of another attempt never hands the mail over again.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime

from sqlalchemy import text
from temporalio import activity

from activities.actions import Ledger
from activities.clock import now
from activities.inbox import MailboxReader
from activities.letters import LetterWriter, find_thread
from activities.mail_addresses import only_with_address
from activities.mailboxes import Postboxes
from activities.marks import clear_mark, new_mark, set_mark
from activities.results import Abandoned, Reserved, Sent, Unconfirmed
from shared.contracts.recipient import ActionOrder
from shared.db.models.recipients import ActionStatus
from shared.domain.recipient import ActivityName, Outcome
from shared.errors import Ambiguous, Invalid, ProviderError, Refused, Unavailable
from shared.providers.smtp import SmtpSession, smtp_session

CALL_SECONDS = 45
SEEN_RECENTLY = timedelta(seconds=60)
# After this time, a mail that may have left counts as sent, unless the company wants to be asked.
TAKEN_FOR_SENT = timedelta(hours=24)

# Who answers our Message-ID, or reports on it, has seen the mail.
_IS_ANSWERED = text("""
select exists (select from inbound_events
  where recipient_id = :recipient_id and message_ids @> array[cast(:message_id as text)])
""")
_WANTS_TO_BE_ASKED = text("select settings ->> 'asks_about_unconfirmed' = 'true' from companies")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """What is handed over. `thread_id`: the Message-ID that its thread began with."""

    sender: str
    to: str
    raw: bytes
    message_id: str
    thread_id: str


class SmtpActivities:
    def __init__(
        self, *, ledger: Ledger, postboxes: Postboxes, reader: MailboxReader, writer: LetterWriter
    ) -> None:
        self._ledger = ledger
        self._postboxes = postboxes
        self._reader = reader
        self._writer = writer

    @activity.defn(name=ActivityName.SMTP_SEND)
    async def send(self, order: ActionOrder) -> Outcome:
        """Send the mail of one step, once, however often this is retried."""
        return await self._ledger.act_once(order, only_with_address(self._call))

    @activity.defn(name="smtp.settle")
    async def settle(self, order: ActionOrder) -> bool:
        """Find out what became of a mail that was left open. True: now it is known."""
        begun = await self._ledger.find_begun(order)
        if begun is None:
            return False
        if begun.action.draft_id is None:
            # Not handed over; while it is wanted, its own retry goes on, unless another attempt
            # found the mark before it was taken back, and had the recipient wait.
            if begun.is_wanted and begun.action.status is ActionStatus.RESERVED:
                return False
            await self._ledger.record(order, begun, Abandoned())
            return True
        if not (await self._is_seen(begun) or await self._counts_as_sent(begun)):
            if not begun.is_wanted and begun.action.status is ActionStatus.RESERVED:
                # Its recipient has ended, so that no retry would ever tell people.
                await self._ledger.record(order, begun, Unconfirmed())
            return False
        await self._ledger.record(order, begun, _sent(begun))
        return True

    async def _call(self, reserved: Reserved) -> Sent | Abandoned | Unconfirmed:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await self._send_once(reserved)
        except TimeoutError:
            raise Unavailable("The mail server took too long to answer") from None

    async def _send_once(self, reserved: Reserved) -> Sent | Abandoned | Unconfirmed:
        if reserved.action.draft_id is not None:
            return await self._look(reserved)
        if not reserved.is_wanted:
            return Abandoned()
        await self._last_look(reserved)
        letter = self._write(reserved)
        logins = await self._postboxes.logins(reserved.account)
        async with smtp_session(logins.smtp, tls=self._postboxes.tls) as session:
            await session.address(sender=letter.sender, to=letter.to)
            return await self._hand_over(session, reserved, letter)

    async def _hand_over(
        self, session: SmtpSession, reserved: Reserved, letter: _Letter
    ) -> Sent | Abandoned | Unconfirmed:
        mark = new_mark("smtp")
        kept = await set_mark(
            self._ledger, reserved, mark, thread_id=letter.thread_id, message_id=letter.message_id
        )
        if kept is None:
            return Abandoned()
        if kept != mark:
            # Another attempt was first, and nobody knows how far it came.
            return await self._look(reserved)
        try:
            await session.begin()
            await session.finish(letter.raw)
        except Ambiguous:
            return await self._look(_marked(reserved, letter))
        except Refused:
            # Recorded over the mark: without it another attempt could still hand the mail over.
            raise
        except ProviderError:
            # The server has said that it did not take it.
            await clear_mark(self._ledger, reserved, mark)
            raise
        return Sent(provider_id=letter.message_id, thread_id=letter.thread_id)

    async def _look(self, reserved: Reserved) -> Sent | Unconfirmed:
        """What an attempt has come to that may have handed it over."""
        try:
            is_seen = await self._is_seen(reserved)
        except ProviderError:
            # The sweep looks again.
            is_seen = False
        return _sent(reserved) if is_seen else Unconfirmed()

    async def _is_seen(self, reserved: Reserved) -> bool:
        """Whether somebody has answered it, or it lies among the sent ones."""
        message_id = reserved.action.message_id
        if message_id is None:
            return False
        asked = {"recipient_id": reserved.situation.recipient.id, "message_id": message_id}
        async with self._ledger.database.company_transaction(
            reserved.account.company_id
        ) as connection:
            if await connection.scalar(_IS_ANSWERED, asked):
                return True
        mailbox = await self._postboxes.open(reserved.account)
        return await mailbox.has_sent(message_id)

    async def _counts_as_sent(self, begun: Reserved) -> bool:
        if now() - (begun.action.confirmed_at or begun.action.attempted_at) < TAKEN_FOR_SENT:
            return False
        async with self._ledger.database.company_transaction(
            begun.account.company_id
        ) as connection:
            return not await connection.scalar(_WANTS_TO_BE_ASKED)

    async def _last_look(self, reserved: Reserved) -> None:
        """Read the mailbox when nobody has for a while: an answer in it ends the recipient."""
        polled_at = reserved.situation.rest.last_polled_at
        if polled_at is not None and now() - polled_at <= SEEN_RECENTLY:
            return
        try:
            await self._reader.look(reserved.account, now(), older_than=SEEN_RECENTLY)
        except ProviderError:
            # Before a first mail there is no answer to miss; a follow-up waits.
            if reserved.situation.last_mail is not None:
                raise

    def _write(self, reserved: Reserved) -> _Letter:
        earlier = find_thread(reserved)
        mail = self._writer.write(reserved, earlier=earlier)
        sender, to = envelope_address(mail.sender), envelope_address(mail.to)
        # Ours stays, because nobody between us and the lead gives it another one.
        message_id = f"<{mail.key}@{sender.rpartition('@')[2]}>"
        date = format_datetime(now())
        ours: tuple[tuple[str, str], ...] = (("Date", date), ("Message-ID", message_id))
        try:
            raw = replace(mail, headers=(*ours, *mail.headers)).to_raw()
        except Invalid as error:
            raise Refused(str(error)) from None
        thread_id = earlier.thread_id if earlier and earlier.thread_id else message_id
        return _Letter(sender=sender, to=to, raw=raw, message_id=message_id, thread_id=thread_id)


def _marked(reserved: Reserved, letter: _Letter) -> Reserved:
    action = replace(reserved.action, message_id=letter.message_id, thread_id=letter.thread_id)
    return replace(reserved, action=action)


def _sent(reserved: Reserved) -> Sent:
    action = reserved.action
    return Sent(provider_id=action.message_id or "", thread_id=action.thread_id or "")


def envelope_address(address: str) -> str:
    """As it stands in the envelope. What has no such form is refused with the letter itself."""
    local, _, domain = address.strip().rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return address
