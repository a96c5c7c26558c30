"""Invitations and messages at LinkedIn. Neither has a one-time token, so each is marked before.

Whoever finds a mark looks for what came of it, and repeats nothing before lists have settled.
"""

import asyncio

from temporalio import activity

from activities.actions import Ledger
from activities.clock import now
from activities.linkedin_accounts import LinkedInAccounts, OpenAccount, hold_invitations
from activities.linkedin_doubts import CALL_SECONDS, Deed, clear_deed, failed, look_up
from activities.linkedin_inviting import Inviting
from activities.linkedin_reading import LinkedInReader
from activities.linkedin_words import LinkedInWriter
from activities.linkedin_writing import Writing
from activities.results import Abandoned, Done, Postponed, Reserved, Unconfirmed
from shared.contracts.recipient import ActionOrder
from shared.domain.recipient import ActivityName, Outcome
from shared.errors import Unavailable
from shared.providers.linkedin import InvitationsUsedUp, NoInMail, NoSuchMember


class LinkedInActivities:
    def __init__(
        self,
        *,
        ledger: Ledger,
        accounts: LinkedInAccounts,
        reader: LinkedInReader,
        writer: LinkedInWriter,
    ) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._inviting = Inviting(ledger=ledger, writer=writer)
        self._writing = Writing(ledger=ledger, reader=reader, writer=writer)

    @activity.defn(name=ActivityName.LINKEDIN_INVITE)
    async def invite(self, order: ActionOrder) -> Outcome:
        """Invite one lead, once, however often this is retried."""
        return await self._ledger.act_once(order, lambda it: self._do(self._inviting.do, it))

    @activity.defn(name=ActivityName.LINKEDIN_MESSAGE)
    async def message(self, order: ActionOrder) -> Outcome:
        """Write one message, once, however often this is retried."""
        return await self._ledger.act_once(order, lambda it: self._do(self._writing.do, it))

    @activity.defn(name="linkedin.settle")
    async def settle(self, order: ActionOrder) -> bool:
        """Find out what became of an action that was left open. True: now it is known."""
        begun = await self._ledger.find_begun(order)
        if begun is None:
            return False
        if begun.action.draft_id is None:
            # Not handed over; while it is wanted, its own retry goes on.
            if not begun.is_wanted:
                await self._ledger.record(order, begun, Abandoned())
            return not begun.is_wanted
        found = await self._do(self._find, begun)
        if isinstance(found, Postponed | Unconfirmed):
            return False
        if isinstance(found, Abandoned) and begun.is_wanted:
            # It was not done, and the recipient takes it up again.
            await clear_deed(self._ledger, begun)
        else:
            await self._ledger.record(order, begun, found)
        return True

    async def _find(self, opened: OpenAccount, begun: Reserved) -> Done:
        is_invitation = begun.action.activity is ActivityName.LINKEDIN_INVITE
        find = self._inviting.find if is_invitation else self._writing.find
        return await look_up(find, opened, begun)

    async def _do(self, deed: Deed, reserved: Reserved) -> Done:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                opened = await self._accounts.open(reserved.account)
                return await deed(opened, reserved)
        except InvitationsUsedUp as limit:
            return await self._hold_invitations(reserved, limit)
        except (NoSuchMember, NoInMail) as closed:
            return failed(str(closed))
        except TimeoutError:
            raise Unavailable("LinkedIn took too long to answer") from None

    async def _hold_invitations(self, reserved: Reserved, limit: InvitationsUsedUp) -> Postponed:
        assert limit.retry_after is not None  # noqa: S101 - a limit says how long
        until, account = now() + limit.retry_after, reserved.account
        async with self._ledger.database.company_transaction(account.company_id) as connection:
            await hold_invitations(connection, account.account_id, until=until)
        return Postponed(until=until, reason=str(limit).removesuffix("."))
