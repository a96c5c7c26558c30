"""One message to a member: to connected ones only, unless the step is an InMail."""

from dataclasses import dataclass
from datetime import timedelta

from activities.actions import Ledger
from activities.clock import now
from activities.linkedin_accounts import OpenAccount
from activities.linkedin_doubts import (
    absent,
    clear_deed,
    failed,
    look_up,
    mark_deed,
    marked_member,
    skipped,
)
from activities.linkedin_reading import LinkedInReader
from activities.linkedin_words import LinkedInWriter, content_of
from activities.results import Abandoned, Done, Reserved, Sent, Unconfirmed
from shared.domain.branches import StepOutcome
from shared.errors import Ambiguous, ProviderError
from shared.linkedin_news import member_of_key
from shared.providers.linkedin import (
    Member,
    NoInMail,
    NotConnected,
    SentMessage,
    TooLong,
    is_same_text,
    public_id_of,
)

SEEN_RECENTLY = timedelta(seconds=60)
# Between our clock and LinkedIn's.
CLOCK_SKEW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """`subject` None: it is no InMail."""

    member: Member
    text: str
    subject: str | None
    chat_id: str | None


class Writing:
    def __init__(self, *, ledger: Ledger, reader: LinkedInReader, writer: LinkedInWriter) -> None:
        self._ledger = ledger
        self._reader = reader
        self._writer = writer

    async def do(self, opened: OpenAccount, reserved: Reserved) -> Done:
        """Look what an earlier attempt has done, if there was one, and write."""
        if reserved.action.draft_id is not None:
            found = await look_up(self.find, opened, reserved)
            if not (isinstance(found, Abandoned) and reserved.is_wanted):
                return found
            reserved = await clear_deed(self._ledger, reserved)
        if not reserved.is_wanted:
            return Abandoned()
        member = _connected_member(reserved)
        if member is None:
            public_id = public_id_of(reserved.situation.rest.lead["linkedin_url"] or "")
            if public_id is None:
                return failed("The lead has no LinkedIn profile")
            member = await opened.client.member(opened.name, public_id)
        if not member.is_connected and not content_of(reserved).options.get("inmail"):
            return skipped("They are not connected, and the step is no InMail")
        await self._last_look(reserved)
        return await self._send(opened, reserved, await self._write(opened, reserved, member))

    async def find(self, opened: OpenAccount, reserved: Reserved) -> Done:
        """What came of a message that may have left. Abandoned: it did not."""
        action, member_id = reserved.action, marked_member(reserved)
        chat_id = action.thread_id or await opened.client.find_chat(opened.name, member_id)
        if chat_id is None:
            return absent(reserved)
        since = (action.confirmed_at or action.attempted_at) - CLOCK_SKEW
        known = {other.provider_id for other in reserved.situation.actions.values()}
        ours = [
            message
            for message in await opened.client.messages_of(chat_id, since)
            if message.is_ours and message.id not in known
        ]
        texts = self._writer.candidates(reserved)
        for message in ours:
            if any(is_same_text(message.text, text) for text in texts):
                return Sent(provider_id=message.id, thread_id=chat_id)
        # Somebody wrote by hand just then, or the lead's fields have changed: a person can tell.
        return Unconfirmed() if ours else absent(reserved)

    async def _write(self, opened: OpenAccount, reserved: Reserved, member: Member) -> _Letter:
        text = self._writer.write(reserved)
        if not member.is_connected:
            subject = self._writer.subject(reserved)
            return _Letter(member=member, text=text, subject=subject, chat_id=None)
        chat_id = await opened.client.find_chat(opened.name, member.id)
        return _Letter(member=member, text=text, subject=None, chat_id=chat_id)

    async def _send(self, opened: OpenAccount, reserved: Reserved, letter: _Letter) -> Done:
        chat_id = letter.chat_id or ""
        marked = await mark_deed(self._ledger, reserved, letter.member, chat_id=chat_id)
        if marked is None:
            return Abandoned()
        if not marked.is_wanted:
            # Another attempt was first, and nobody knows how far it came.
            return absent(marked)
        try:
            sent = await _hand_over(opened, letter)
        except Ambiguous:
            return await look_up(self.find, opened, marked)
        except (NotConnected, NoInMail) as closed:
            await clear_deed(self._ledger, marked)
            return skipped(str(closed))
        except TooLong as long:
            await clear_deed(self._ledger, marked)
            return failed(str(long))
        except ProviderError:
            await clear_deed(self._ledger, marked)
            raise
        return Sent(provider_id=sent.id, thread_id=sent.chat_id)

    async def _last_look(self, reserved: Reserved) -> None:
        """Read the account when nobody has for a while: an answer in it ends the recipient."""
        account = reserved.account
        try:
            await self._reader.look(account, now(), older_than=SEEN_RECENTLY)
        except ProviderError:
            # Before anything was written there is no answer to miss; what follows waits.
            if reserved.situation.has_begun_on(account.account_id):
                raise


def _connected_member(reserved: Reserved) -> Member | None:
    """The lead, if an earlier step says so: LinkedIn counts each look at a profile."""
    for earlier in reserved.situation.actions.values():
        member_id = member_of_key(earlier.message_id)
        is_same = earlier.account_id == reserved.action.account_id
        if is_same and member_id and StepOutcome.CONNECTED in earlier.outcomes:
            return Member(id=member_id, public_id=None, is_connected=True)
    return None


async def _hand_over(opened: OpenAccount, letter: _Letter) -> SentMessage:
    if letter.chat_id is not None:
        return await opened.client.send(letter.chat_id, letter.text)
    return await opened.client.start_chat(
        opened.name, letter.member.id, letter.text, inmail_subject=letter.subject
    )
