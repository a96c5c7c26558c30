"""Mail through Gmail. The draft is the token that makes it once: it can be sent once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from temporalio import activity

from activities.actions import Ledger
from activities.clock import now
from activities.inbox import MailboxReader
from activities.letters import LetterWriter, find_thread
from activities.mail_addresses import only_with_address
from activities.mailboxes import Mailboxes
from activities.results import Abandoned, Reserved, Sent, Unconfirmed, hash_of
from shared.contracts.recipient import ActionOrder
from shared.db.repositories.drafts import Kept, forget_draft, keep_draft, withdraw_draft
from shared.db.repositories.situations import Action
from shared.domain.recipient import ActivityName, Outcome
from shared.errors import Ambiguous, Gone, ProviderError
from shared.keyring import Keyring
from shared.providers.gmail import GmailClient, InThread
from shared.providers.mime import Mail

# httpx counts each phase of a call alone, so the whole has a limit of its own: 15 s less than
# the activity's, which leaves the record transaction its time.
CALL_SECONDS = 45
SEEN_RECENTLY = timedelta(seconds=60)


class GmailActivities:
    def __init__(
        self,
        *,
        ledger: Ledger,
        mailboxes: Mailboxes,
        reader: MailboxReader,
        writer: LetterWriter,
        keyring: Keyring,
    ) -> None:
        self._ledger = ledger
        self._mailboxes = mailboxes
        self._reader = reader
        self._writer = writer
        self._keyring = keyring

    @activity.defn(name=ActivityName.GMAIL_SEND)
    async def send(self, order: ActionOrder) -> Outcome:
        """Send the mail of one step, once, however often this is retried."""
        return await self._ledger.act_once(order, only_with_address(self._call))

    @activity.defn(name="gmail.settle")
    async def settle(self, order: ActionOrder) -> bool:
        """Find out what became of a mail that was left open. True: now it is known."""
        begun = await self._ledger.find_begun(order)
        if begun is None:
            return False
        client = self._mailboxes.open(begun.account)
        found = await self._find_sent(client, begun)
        if found is not None:
            await self._ledger.record(order, begun, _sent(found))
        elif not begun.is_wanted and await self._is_never_sent(client, begun):
            await self._ledger.record(order, begun, Abandoned(begun.action.draft_id))
        else:
            return False
        return True

    async def _call(self, reserved: Reserved) -> Sent | Abandoned | Unconfirmed:
        client = self._mailboxes.open(reserved.account)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await self._send_once(client, reserved)
        except TimeoutError:
            raise Ambiguous("Gmail took too long to answer") from None

    async def _send_once(
        self, client: GmailClient, reserved: Reserved
    ) -> Sent | Abandoned | Unconfirmed:
        if reserved.action.draft_id is not None:
            settled = await self._look_first(client, reserved, reserved.action.draft_id)
            if settled is not None:
                return settled
        elif not reserved.is_wanted:
            return Abandoned()
        return await self._send_new(client, reserved)

    async def _look_first(
        self, client: GmailClient, reserved: Reserved, draft_id: str
    ) -> Sent | Abandoned | Unconfirmed | None:
        """What an earlier attempt has come to. None: its draft is deleted unsent, start anew."""
        if already := await self._find_sent(client, reserved):
            return _sent(already)
        is_good = reserved.is_wanted and not (_is_withdrawn(reserved) or _is_edited(reserved))
        if is_good:
            return await self._confirm_and_spend(client, reserved, draft_id)
        if not await self._is_never_sent(client, reserved):
            # Gone between our two looks: somebody has sent it, or a person has deleted it.
            return _known(await self._find_sent(client, reserved))
        if not reserved.is_wanted:
            return Abandoned(draft_id)
        await self._forget_draft(reserved, draft_id)
        return None

    async def _send_new(
        self, client: GmailClient, reserved: Reserved
    ) -> Sent | Abandoned | Unconfirmed:
        await self._last_look(reserved)
        earlier = await self._find_earlier(client, reserved)
        letter = self._writer.write(reserved, earlier=earlier)
        draft = await _create_draft(client, letter, earlier)
        kept = await self._keep(reserved, draft.id, draft.thread_id, earlier)
        if kept is None or kept.draft_id != draft.id:
            await client.delete_draft(draft.id)
        if kept is None:
            return Abandoned()
        return await self._spend(client, reserved, kept)

    async def _confirm_and_spend(
        self, client: GmailClient, reserved: Reserved, draft_id: str
    ) -> Sent | Abandoned | Unconfirmed:
        """Send the draft of an earlier attempt, if it is wanted still."""
        kept = await self._keep(reserved, draft_id, reserved.action.thread_id or "")
        if kept is None:
            if await self._is_never_sent(client, reserved):
                return Abandoned(draft_id)
            return _known(await self._find_sent(client, reserved))
        return await self._spend(client, reserved, kept)

    async def _spend(
        self, client: GmailClient, reserved: Reserved, kept: Kept
    ) -> Sent | Unconfirmed:
        try:
            return _sent(await client.send_draft(kept.draft_id))
        except Gone:
            # Another attempt was first.
            return _known(await self._find_sent(client, reserved, thread_id=kept.thread_id))

    async def _is_never_sent(self, client: GmailClient, reserved: Reserved) -> bool:
        """Delete the draft that was kept. True: it was not sent and never will be."""
        draft_id = reserved.action.draft_id
        if draft_id is None:
            return True
        if not _is_withdrawn(reserved):
            async with self._ledger.database.company_transaction(
                reserved.account.company_id
            ) as connection:
                await withdraw_draft(connection, reserved.action.id, draft_id=draft_id)
        if await client.delete_draft(draft_id):
            return True
        # It is gone. An earlier attempt was about to delete it, and nobody has sent it.
        return _is_withdrawn(reserved) and await self._find_sent(client, reserved) is None

    async def _find_sent(
        self, client: GmailClient, reserved: Reserved, *, thread_id: str | None = None
    ) -> InThread | None:
        action, recipient = reserved.action, reserved.situation.recipient
        return await client.find_sent(
            key=self._keyring.mail_key(recipient.id, action.step_id, action.round),
            thread_id=thread_id or action.thread_id,
            to=reserved.situation.rest.lead_email,
            since=action.attempted_at,
        )

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

    async def _find_earlier(self, client: GmailClient, reserved: Reserved) -> Action | None:
        """The mail that this one follows, with its Message-ID, which only now is needed."""
        earlier = find_thread(reserved)
        if earlier is None or earlier.message_id or earlier.provider_id is None:
            return earlier
        return replace(earlier, message_id=await client.message_id_of(earlier.provider_id))

    async def _keep(
        self, reserved: Reserved, draft_id: str, thread_id: str, earlier: Action | None = None
    ) -> Kept | None:
        async with self._ledger.database.single_statement() as connection:
            return await keep_draft(
                connection,
                reserved.situation.recipient.id,
                reserved.action.id,
                company_id=reserved.account.company_id,
                round_=reserved.action.round,
                draft_id=draft_id,
                thread_id=thread_id,
                earlier=earlier,
            )

    async def _forget_draft(self, reserved: Reserved, draft_id: str) -> None:
        content_hash = hash_of(reserved.situation, reserved.action.step_id)
        async with self._ledger.database.company_transaction(
            reserved.account.company_id
        ) as connection:
            await forget_draft(
                connection, reserved.action.id, draft_id=draft_id, content_hash=content_hash
            )


async def _create_draft(client: GmailClient, letter: Mail, earlier: Action | None) -> InThread:
    raw = letter.to_raw()
    if earlier is None:
        return await client.create_draft(raw)
    try:
        return await client.create_draft(raw, thread_id=earlier.thread_id)
    except Gone:
        # Somebody deleted the thread here; the lead still sees one by In-Reply-To.
        return await client.create_draft(raw)


def _is_withdrawn(reserved: Reserved) -> bool:
    """Whether an earlier attempt was about to delete the draft, and did not say whether it had."""
    return reserved.action.draft_id is not None and reserved.action.confirmed_at is None


def _is_edited(reserved: Reserved) -> bool:
    return hash_of(reserved.situation, reserved.action.step_id).hex() != (
        reserved.action.content_hash
    )


def _sent(mail: InThread) -> Sent:
    return Sent(provider_id=mail.id, thread_id=mail.thread_id)


def _known(found: InThread | None) -> Sent | Unconfirmed:
    return _sent(found) if found else Unconfirmed()
