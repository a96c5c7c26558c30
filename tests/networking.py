"""A company with an account of LinkedIn, and the sandbox's Unipile behind it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment
from uuid_utils.compat import uuid7

from deploy.sandbox.linkedin_world import SandboxAccount
from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, ActionRow, LinkedInAccountRow, RecipientRow
from shared.domain.channels import AccountKind, Channel
from shared.domain.recipient import ActivityName, Outcome
from tests.factories import DAY, Company
from tests.fakes.unipile import FakeUnipile
from workflows.parts import Parts

INVITE_AND_WRITE = (Channel.LINKEDIN_CONNECTION, Channel.LINKEDIN_MESSAGE)
ACTIVITY = {
    Channel.LINKEDIN_CONNECTION: ActivityName.LINKEDIN_INVITE,
    Channel.LINKEDIN_MESSAGE: ActivityName.LINKEDIN_MESSAGE,
    Channel.EMAIL: ActivityName.GMAIL_SEND,
}


@dataclass(slots=True)
class Clock:
    """Unipile's. Postgres has a clock of its own, so it begins now."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.at

    def skip(self, **time: float) -> datetime:
        self.at += timedelta(**time)
        return self.at


@dataclass(slots=True, kw_only=True)
class Network:
    """`me`: the account's owner. What activities run, they run at the clock's instant.

    `http`: what their client calls with.
    """

    company: Company
    unipile: FakeUnipile
    clock: Clock
    me: SandboxAccount
    account_id: UUID
    parts: Parts | None = None
    http: httpx.AsyncClient | None = None

    async def begin(
        self,
        channels: Sequence[Channel] = INVITE_AND_WRITE,
        *,
        text: str = "Hello {{ lead.first_name }}",
        options: dict[str, Any] | None = None,
        public_id: str | None = "ada",
        email: str | None = None,
    ) -> ActionOrder:
        """A recipient that has just started; answers the order of its first step."""
        waits = [0] + [DAY] * (len(channels) - 1)
        campaign = await self.company.make_campaign(
            waits=waits, text=text, channels=channels, options=options
        )
        profile = f"https://www.linkedin.com/in/{public_id}" if public_id else None
        if public_id:
            self.unipile.world.members.add(public_id)
        lead_id = await self.company.make_lead(email=email, linkedin_url=profile)
        recipient = await self.company.make_recipient(campaign, lead_id=lead_id)
        async with self.company.session() as session:
            row = await session.get_one(RecipientRow, recipient.recipient_id)
            row.started_at = row.launched_at = self.clock.at
        order = self.company.order(recipient, campaign.step_ids[0])
        return replace(order, activity=ACTIVITY[channels[0]])

    async def act(self, order: ActionOrder) -> Outcome:
        """One attempt, now."""
        parts = self.parts
        assert parts is not None
        deeds = {
            ActivityName.LINKEDIN_INVITE: parts.linkedin.invite,
            ActivityName.LINKEDIN_MESSAGE: parts.linkedin.message,
            ActivityName.RECIPIENT_PLAN: parts.recipient.plan,
        }
        return await self.now().run(deeds[order.activity], order)

    def now(self) -> ActivityEnvironment:
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, started_time=self.clock.at)
        return environment

    async def action(self, order: ActionOrder) -> ActionRow:
        async with self.company.session() as session:
            found = await session.scalars(
                select(ActionRow).where(
                    ActionRow.recipient_id == order.recipient_id, ActionRow.step_id == order.step_id
                )
            )
            return found.one()

    async def account(self) -> AccountRow:
        async with self.company.session() as session:
            return await session.get_one(AccountRow, self.account_id)

    async def set_account(self, **values: Any) -> None:
        async with self.company.session() as session:
            row = await session.get_one(AccountRow, self.account_id)
            for name, value in values.items():
                setattr(row, name, value)

    async def details(self) -> LinkedInAccountRow:
        async with self.company.session() as session:
            where = LinkedInAccountRow.account_id == self.account_id
            return (await session.scalars(select(LinkedInAccountRow).where(where))).one()


async def connect_network(
    company: Company, unipile: FakeUnipile, clock: Clock, *, is_premium: bool = True
) -> Network:
    """As if the person had been through the hosted link. Without limits of ours."""
    me = unipile.world.add_account(f"sam-{uuid7()}", is_premium=is_premium)
    account_id = uuid7()
    async with company.session() as session:
        session.add(
            AccountRow(
                id=account_id,
                user_id=company.user_id,
                kind=AccountKind.LINKEDIN,
                email=f"linkedin.com/in/{me.public_id}",
                daily_limit=None,
                limits={"messages_per_day": 1_000},
            )
        )
        await session.flush()
        session.add(
            LinkedInAccountRow(
                account_id=account_id,
                provider_id=me.id,
                member_id=unipile.world.member_id(me.id, me.public_id),
                public_id=me.public_id,
                note_limit=300 if is_premium else 200,
                connected_at=clock.at,
            )
        )
    return Network(company=company, unipile=unipile, clock=clock, me=me, account_id=account_id)
