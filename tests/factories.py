"""Rows for tests, written through the same door as the product's."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from shared.contracts.recipient import ActionOrder, RecipientRef
from shared.db.models import (
    AccountRow,
    ActionRow,
    CampaignRow,
    CompanyRow,
    LeadRow,
    RecipientRow,
    StepRow,
    SuppressionRow,
    UserRow,
)
from shared.db.models.campaigns import CampaignStatus, CampaignType
from shared.db.repositories.versions import publish_version
from shared.db.session import Database
from shared.domain.channels import AccountKind, Channel
from shared.domain.recipient import ActivityName
from shared.keyring import Keyring
from shared.suppression import lead_keys

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """`step_ids` in their order."""

    id: UUID
    step_ids: tuple[UUID, ...]


class Company:
    """A company of its own is all that keeps one test from seeing another test's rows."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.id = uuid7()
        self.user_id = uuid7()
        self.account_id = uuid7()
        self._database = database
        self._keyring = keyring

    @classmethod
    async def make(cls, database: Database, keyring: Keyring) -> "Company":
        """With one user and one connected mailbox, sam@acme.test."""
        company = cls(database, keyring)
        async with database.outside_session() as session:
            email = f"sam-{company.user_id}@acme.test"
            user = UserRow(id=company.user_id, email=email, name="Sam", password_hash="-")
            session.add(user)
        async with company.session() as session:
            session.add(CompanyRow(id=company.id, name="Acme"))
            await session.flush()
            session.add(
                AccountRow(
                    id=company.account_id,
                    user_id=company.user_id,
                    kind=AccountKind.GMAIL,
                    email="sam@acme.test",
                    is_primary=True,
                    daily_limit=None,
                )
            )
        return company

    def session(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self._database.company_session(self.id)

    async def make_campaign(
        self,
        *,
        waits: Sequence[int] = (0, 3 * DAY, 3 * DAY),
        text: str = "Hello {{ lead.first_name }}",
        channels: Sequence[Channel] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Campaign:
        """An active campaign; `waits` are seconds after the one before. Mails, unless `channels`
        says otherwise; `options` are those of every step."""
        campaign = CampaignRow(
            id=uuid7(),
            name="Spring",
            type=CampaignType.EMAIL,
            status=CampaignStatus.ACTIVE,
            account_id=self.account_id,
        )
        steps = [
            StepRow(
                id=uuid7(),
                campaign_id=campaign.id,
                position=position,
                channel=channels[position - 1] if channels else Channel.EMAIL,
                options=dict(options or {}),
                subject="Hello" if position == 1 else None,
                message_template=text,
                delay_seconds=wait,
            )
            for position, wait in enumerate(waits, start=1)
        ]
        async with self.session() as session:
            session.add(campaign)
            await session.flush()
            session.add_all(steps)
            await session.flush()
            campaign.version_id = await publish_version(session, campaign.id)
        return Campaign(id=campaign.id, step_ids=tuple(step.id for step in steps))

    async def remove_steps(self, campaign_id: UUID, channel: Channel) -> None:
        """An edit of a running campaign."""
        async with self.session() as session:
            row = await session.get_one(CampaignRow, campaign_id)
            of_it = (StepRow.campaign_id == campaign_id, StepRow.channel == channel)
            await session.execute(delete(StepRow).where(*of_it))
            row.version_id = await publish_version(session, campaign_id)

    async def make_lead(self, *, email: str | None = None, **more: Any) -> UUID:
        email = email or f"ada-{uuid7()}@example.test"
        lead = LeadRow(
            id=uuid7(),
            email=email,
            first_name="Ada",
            suppression_keys=lead_keys(self._keyring, email=email),
            **more,
        )
        async with self.session() as session:
            session.add(lead)
        return lead.id

    async def make_recipient(
        self, campaign: Campaign, *, lead_id: UUID | None = None
    ) -> RecipientRef:
        """Pending, as the API leaves it."""
        recipient = RecipientRow(
            id=uuid7(), campaign_id=campaign.id, lead_id=lead_id or await self.make_lead()
        )
        async with self.session() as session:
            session.add(recipient)
        return RecipientRef(company_id=self.id, campaign_id=campaign.id, recipient_id=recipient.id)

    async def make_order(self, campaign: Campaign | None = None) -> ActionOrder:
        """A recipient that was started at noon, and the order of its first mail."""
        campaign = campaign or await self.make_campaign()
        recipient = await self.make_recipient(campaign)
        async with self.session() as session:
            row = await session.get_one(RecipientRow, recipient.recipient_id)
            row.started_at = row.launched_at = NOON
        return self.order(recipient, campaign.step_ids[0])

    def ref(self, order: ActionOrder) -> RecipientRef:
        """The recipient of an order, where its campaign does not matter."""
        return RecipientRef(
            company_id=self.id, campaign_id=self.id, recipient_id=order.recipient_id
        )

    def order(self, recipient: RecipientRef, step_id: UUID | None) -> ActionOrder:
        return ActionOrder(
            company_id=self.id,
            recipient_id=recipient.recipient_id,
            activity=ActivityName.GMAIL_SEND if step_id else ActivityName.RECIPIENT_PLAN,
            step_id=step_id,
        )

    async def actions(self) -> list[ActionRow]:
        async with self.session() as session:
            return list(await session.scalars(select(ActionRow).order_by(ActionRow.settled_at)))

    async def suppress(self, lead_id: UUID) -> None:
        """Never again: by the lead's address."""
        async with self.session() as session:
            lead = await session.get_one(LeadRow, lead_id)
            key_hash = lead.suppression_keys[0]
            session.add(SuppressionRow(key_hash=key_hash, kind="email", reason="unsubscribe"))

    async def recipient(self, recipient_id: UUID) -> RecipientRow:
        async with self.session() as session:
            return await session.get_one(RecipientRow, recipient_id)
