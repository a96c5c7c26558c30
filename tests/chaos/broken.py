"""Ledgers that are broken on purpose, each in one way that chaos has to notice."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from activities.bland import BlandActivities
from activities.gmail import GmailActivities
from activities.linkedin_accounts import OpenAccount
from activities.linkedin_writing import Writing
from activities.marks import clear_mark
from activities.results import Abandoned, Done, Reserved, Sent, Unconfirmed
from activities.smtp import SmtpActivities
from shared.db.repositories.drafts import Kept
from shared.db.repositories.situations import Action
from shared.providers.gmail import GmailClient
from workflows.parts import Parts, make_parts

_KEEP = text(
    "update actions set draft_id = :draft_id, thread_id = :thread_id,"
    " confirmed_at = clock_timestamp() where id = :id"
)


class Forgetful(GmailActivities):
    """Takes every retry for the first attempt."""

    async def _look_first(
        self, client: GmailClient, reserved: Reserved, draft_id: str
    ) -> Sent | Abandoned | Unconfirmed | None:
        if not reserved.is_wanted:
            return await super()._look_first(client, reserved, draft_id)
        await self._forget_draft(reserved, draft_id)
        return None


class Careless(GmailActivities):
    """Sends what it has drafted, whatever came in between."""

    async def _keep(
        self, reserved: Reserved, draft_id: str, thread_id: str, earlier: Action | None = None
    ) -> Kept | None:
        kept = {"id": reserved.action.id, "draft_id": draft_id, "thread_id": thread_id}
        company_id = reserved.account.company_id
        async with self._ledger.database.company_transaction(company_id) as connection:
            await connection.execute(_KEEP, kept)
        return Kept(draft_id=draft_id, thread_id=thread_id)


class Hopeful(SmtpActivities):
    """Takes what nobody knows for what was sent."""

    async def _look(self, reserved: Reserved) -> Sent | Unconfirmed:
        return Sent(provider_id=reserved.action.message_id or "", thread_id="")


class Hasty(BlandActivities):
    """Dials again, as if nobody had before."""

    async def _look(self, reserved: Reserved) -> Done:
        if not reserved.is_wanted:
            return await super()._look(reserved)
        await clear_mark(self._ledger, reserved, reserved.action.draft_id or "")
        return await self._begin(replace(reserved, action=replace(reserved.action, draft_id=None)))


class Chatty(Writing):
    """Never looks what it has written."""

    async def find(self, opened: OpenAccount, reserved: Reserved) -> Done:
        return Abandoned()


def parts_that_write(**wired: Any) -> Parts:
    parts = make_parts(**wired)
    parts.linkedin._writing.__class__ = Chatty
    return parts


def parts_with(broken: type[Any], name: str) -> Callable[..., Parts]:
    """The wiring of a worker whose activities called `name` are these."""

    def parts_of(**wired: Any) -> Parts:
        parts = make_parts(**wired)
        getattr(parts, name).__class__ = broken
        return parts

    return parts_of


# By this name worker processes find it.
forgetful_parts = parts_with(Forgetful, "gmail")
