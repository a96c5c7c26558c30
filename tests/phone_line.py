"""A company that calls people: its line at Bland, a campaign with a call, leads with a phone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from uuid_utils.compat import uuid7

from shared.bland_logins import BlandLogin, store_bland_login
from shared.contracts.recipient import ActionOrder
from shared.db.models import AccountRow, CallRow, CampaignRow, LeadRow, RecipientRow, StepRow
from shared.db.models.campaigns import CampaignStatus, CampaignType
from shared.db.repositories.versions import publish_version
from shared.db.session import Database
from shared.domain.channels import AccountKind, Channel
from shared.domain.recipient import ActivityName
from shared.keyring import Keyring
from shared.suppression import lead_keys
from tests.factories import Campaign, Company

# A Monday, eleven in the morning in Berlin, and no holiday.
MORNING = datetime(2026, 11, 23, 10, tzinfo=UTC)
CONSENT = "calls: 2026-03-01, web form"
SCRIPT = "You are calling {{ lead.first_name }} about a flat. Be brief."


class PhoneLine:
    """One account at Bland, and what is done on it."""

    def __init__(self, company: Company, database: Database, keyring: Keyring) -> None:
        self.company, self.account_id = company, uuid7()
        self._database, self._keyring = database, keyring

    @classmethod
    async def connect(
        cls, company: Company, database: Database, keyring: Keyring, *, api_key: str, **more: Any
    ) -> "PhoneLine":
        line = cls(company, database, keyring)
        async with database.company_session(company.id, user_id=company.user_id) as session:
            session.add(
                AccountRow(
                    id=line.account_id,
                    user_id=company.user_id,
                    kind=AccountKind.BLAND,
                    email="Bland",
                    **{"daily_limit": None, **more},
                )
            )
            await session.flush()
            await store_bland_login(
                session,
                keyring,
                BlandLogin(api_key=api_key),
                account_id=line.account_id,
                user_id=company.user_id,
                company_id=company.id,
            )
        return line

    async def make_campaign(
        self,
        *,
        channels: Sequence[Channel] = (Channel.CALL, Channel.EMAIL),
        wait_seconds: int = 86_400,
        options: Mapping[str, Any] | None = None,
        guards: Sequence[list[dict[str, Any]]] = (),
        mails: Sequence[str] = (),
        first_id: UUID | None = None,
    ) -> Campaign:
        """An active campaign; every step but the first waits. `mails`: what they say, in order."""
        words = iter(mails)
        campaign = CampaignRow(
            id=uuid7(),
            name="Calls",
            type=CampaignType.MULTI,
            status=CampaignStatus.ACTIVE,
            account_id=self.company.account_id,
        )
        steps = [
            StepRow(
                id=first_id if first_id and position == 1 else uuid7(),
                campaign_id=campaign.id,
                position=position,
                channel=channel,
                subject="Hello" if channel is Channel.EMAIL else None,
                message_template=SCRIPT if channel is Channel.CALL else next(words, "Hello"),
                delay_seconds=wait_seconds if position > 1 else 0,
                options=dict(options or {}) if channel is Channel.CALL else {},
                guards=guards[position - 1] if guards else [],
            )
            for position, channel in enumerate(channels, start=1)
        ]
        async with self.company.session() as session:
            session.add(campaign)
            await session.flush()
            session.add_all(steps)
            await session.flush()
            campaign.version_id = await publish_version(session, campaign.id)
        return Campaign(id=campaign.id, step_ids=tuple(step.id for step in steps))

    async def make_lead(self, **more: Any) -> UUID:
        email = f"ada-{uuid7()}@example.test"
        fields: dict[str, Any] = {
            "email": email,
            "phone": f"+49301{uuid7().int % 10_000_000:07}",
            "first_name": "Ada",
            "consent": CONSENT,
            "country": "DE",
            "region": "BE",
            **more,
        }
        lead = LeadRow(
            id=uuid7(),
            **fields,
            suppression_keys=lead_keys(self._keyring, email=fields["email"], phone=fields["phone"]),
        )
        async with self.company.session() as session:
            session.add(lead)
        return lead.id

    async def make_order(
        self,
        campaign: Campaign | None = None,
        *,
        lead_id: UUID | None = None,
        at: datetime = MORNING,
    ) -> ActionOrder:
        """A recipient that was started then, and the order of its call, which is step 1."""
        campaign = campaign or await self.make_campaign()
        lead_id = lead_id or await self.make_lead()
        ref = await self.company.make_recipient(campaign, lead_id=lead_id)
        async with self.company.session() as session:
            row = await session.get_one(RecipientRow, ref.recipient_id)
            row.started_at = row.launched_at = at
        return ActionOrder(
            company_id=self.company.id,
            recipient_id=ref.recipient_id,
            activity=ActivityName.BLAND_CALL,
            step_id=campaign.step_ids[0],
        )

    async def calls(self) -> list[CallRow]:
        async with self.company.session() as session:
            return list(await session.scalars(select(CallRow).order_by(CallRow.id)))

    async def account(self) -> AccountRow:
        async with self.company.session() as session:
            return await session.get_one(AccountRow, self.account_id)

    async def lead_of(self, order: ActionOrder) -> LeadRow:
        async with self.company.session() as session:
            row = await session.get_one(RecipientRow, order.recipient_id)
            return await session.get_one(LeadRow, row.lead_id)
