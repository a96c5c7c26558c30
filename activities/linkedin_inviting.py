"""One invitation: who is connected or invited already passes without using the account's limit."""

from activities.actions import Ledger
from activities.clock import now
from activities.linkedin_accounts import OpenAccount
from activities.linkedin_doubts import absent, clear_deed, failed, look_up, mark_deed, marked_member
from activities.linkedin_words import LinkedInWriter
from activities.results import Abandoned, Done, Reserved, Sent, Skipped
from shared.db.repositories.drafts import keep_message_id
from shared.domain.branches import StepOutcome
from shared.errors import Ambiguous, ProviderError
from shared.linkedin_news import key_of_member
from shared.providers.linkedin import (
    NOTE_OF_FREE,
    AlreadyConnected,
    AlreadyInvited,
    Member,
    NoSuchMember,
    TooLong,
    cut_note,
    public_id_of,
)

CONNECTED = "They are connected already"
INVITED = "They have an invitation of this account already, or had one lately"


class Inviting:
    def __init__(self, *, ledger: Ledger, writer: LinkedInWriter) -> None:
        self._ledger = ledger
        self._writer = writer

    async def do(self, opened: OpenAccount, reserved: Reserved) -> Done:
        """Look what an earlier attempt has done, if there was one, and invite."""
        is_repeated = reserved.action.draft_id is not None
        if is_repeated:
            found = await look_up(self.find, opened, reserved)
            if not (isinstance(found, Abandoned) and reserved.is_wanted):
                return found
            reserved = await clear_deed(self._ledger, reserved)
        if not reserved.is_wanted:
            return Abandoned()
        public_id = public_id_of(reserved.situation.rest.lead["linkedin_url"] or "")
        if public_id is None:
            return failed("The lead has no LinkedIn profile")
        member = await opened.client.member(opened.name, public_id)
        if member.is_connected:
            return await self._known(reserved, member, is_connected=True)
        if member.is_invited:
            return await self._known(reserved, member, is_connected=False)
        return await self._invite(opened, reserved, member, is_repeated=is_repeated)

    async def find(self, opened: OpenAccount, reserved: Reserved) -> Done:
        """What came of an invitation that may have been sent. Abandoned: it was not."""
        member_id = marked_member(reserved)
        member = await _find(opened, member_id)
        # Before the mark they were neither.
        if member and member.is_connected:
            return Sent(provider_id="", outcomes={StepOutcome.CONNECTED: now()})
        invitation = await opened.client.find_invitation(opened.name, member_id)
        if invitation or (member and member.is_invited):
            return Sent(provider_id=invitation.id if invitation else "")
        return absent(reserved)

    async def _invite(
        self, opened: OpenAccount, reserved: Reserved, member: Member, *, is_repeated: bool
    ) -> Done:
        note = cut_note(self._writer.write(reserved), opened.note_limit)
        marked = await mark_deed(self._ledger, reserved, member)
        if marked is None:
            return Abandoned()
        if not marked.is_wanted:
            # Another attempt was first, and nobody knows how far it came.
            return absent(marked)
        try:
            return Sent(provider_id=await _send(opened, member, note))
        except Ambiguous:
            return await look_up(self.find, opened, marked)
        except (AlreadyConnected, AlreadyInvited) as known:
            if is_repeated:
                # By our own earlier attempt, which no list has shown.
                return Sent(provider_id="")
            await clear_deed(self._ledger, marked)
            is_connected = isinstance(known, AlreadyConnected)
            return await self._known(reserved, member, is_connected=is_connected)
        except ProviderError:
            await clear_deed(self._ledger, marked)
            raise

    async def _known(self, reserved: Reserved, member: Member, *, is_connected: bool) -> Skipped:
        """Nothing has to be sent; what this member answers belongs to the step all the same."""
        async with self._ledger.database.company_transaction(
            reserved.account.company_id
        ) as connection:
            await keep_message_id(connection, reserved.action.id, key_of_member(member.id))
        if is_connected:
            return Skipped(reason=CONNECTED, outcomes={StepOutcome.CONNECTED: now()})
        return Skipped(reason=INVITED)


async def _find(opened: OpenAccount, member_id: str) -> Member | None:
    try:
        return await opened.client.member(opened.name, member_id)
    except NoSuchMember:
        return None


async def _send(opened: OpenAccount, member: Member, note: str) -> str:
    """With a shorter note, or with none, when the account may not write as much."""
    for shorter in dict.fromkeys((note, cut_note(note, NOTE_OF_FREE))):
        try:
            return await opened.client.invite(opened.name, member.id, shorter)
        except TooLong:
            continue
    return await opened.client.invite(opened.name, member.id, "")
