"""Withdraws invitations of ours that nobody has accepted for weeks: LinkedIn counts what pends."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from temporalio import activity

from activities.clock import now
from activities.linkedin_accounts import LinkedInAccounts, OpenAccount
from shared.db.session import Database
from shared.errors import ProviderError
from shared.tokens import AccountRef

log = logging.getLogger(__name__)

# For companies that have set no `withdraw_invitations_after_days`, nor the account's limits.
WITHDRAWN_AFTER_DAYS = 21
# At LinkedIn, many at once look like a machine. The rest waits for the next round.
MOST_WITHDRAWN = 10

_ACCOUNTS = text("select company_id, id from linkedin_accounts_to_poll(0, 1)")
_PATIENCE = text("""
select a.user_id, coalesce(
  (a.limits ->> 'withdraw_after_days')::int,
  (select (co.settings ->> 'withdraw_invitations_after_days')::int from companies co)) as days
from accounts a where a.id = :id and a.status = 'active'
""")
_OURS = text("""
select id, provider_id from actions
where account_id = :account_id and activity = 'linkedin.invite' and provider_id = any (:ids)
  and refusal is null
""")
_NOTE = text("update actions set refusal = :words where id = :id")


class LinkedInTidying:
    def __init__(self, *, database: Database, accounts: LinkedInAccounts) -> None:
        self._database = database
        self._accounts = accounts

    @activity.defn(name="linkedin.tidy")
    async def tidy(self) -> int:
        """Go through every connected account; answers how many invitations were withdrawn."""
        if not self._accounts.is_open:
            return 0
        async with self._database.outside_session() as session:
            found = (await session.execute(_ACCOUNTS)).all()
        withdrawn = 0
        for row in found:
            activity.heartbeat()
            try:
                withdrawn += await self.tidy_account(row.company_id, row.id, now())
            except ProviderError as error:
                # It is tidied an hour later.
                name = type(error).__name__
                log.warning("linkedin.untidied", extra={"account_id": row.id, "error": name})
        return withdrawn

    async def tidy_account(self, company_id: UUID, account_id: UUID, at: datetime) -> int:
        """Raises ProviderError."""
        async with self._database.company_transaction(company_id) as connection:
            row = (await connection.execute(_PATIENCE, {"id": account_id})).one_or_none()
        if row is None:
            return 0
        days = row.days or WITHDRAWN_AFTER_DAYS
        account = AccountRef(company_id=company_id, account_id=account_id, user_id=row.user_id)
        opened = await self._accounts.open(account)
        before = at - timedelta(days=days)
        # In the order of their age, so that what is left over is the youngest.
        old = [
            invitation
            async for invitation in opened.client.invitations(opened.name)
            if invitation.sent_at is not None and invitation.sent_at < before
        ]
        ids = [it.id for it in sorted(old, key=lambda it: it.sent_at or before)]
        return await self._withdraw(opened, ids, days)

    async def _withdraw(self, opened: OpenAccount, ids: list[str], days: int) -> int:
        company_id, asked = opened.ref.company_id, {"account_id": opened.ref.account_id, "ids": ids}
        async with self._database.company_transaction(company_id) as connection:
            ours = {row.provider_id: row.id for row in await connection.execute(_OURS, asked)}
        withdrawn = 0
        for invitation_id in [id_ for id_ in ids if id_ in ours][:MOST_WITHDRAWN]:
            withdrawn += await opened.client.withdraw(opened.name, invitation_id)
            words = f"Nobody had accepted it for {days} days, so it was withdrawn"
            async with self._database.company_transaction(company_id) as connection:
                await connection.execute(_NOTE, {"id": ours[invitation_id], "words": words})
        return withdrawn
