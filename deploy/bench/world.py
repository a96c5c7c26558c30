"""A company with one mailbox and as many leads as a benchmark needs."""

import os
from base64 import b64encode
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, select
from uuid_utils.compat import uuid7

from shared.db.models import (
    AccountRow,
    CampaignRow,
    CompanyRow,
    LeadRow,
    RecipientRow,
    StepRow,
    UserRow,
)
from shared.db.models.accounts import AccountKind
from shared.db.models.campaigns import CampaignStatus, CampaignType, Channel
from shared.db.repositories.versions import publish_version
from shared.db.session import Database
from shared.keyring import Keyring
from shared.suppression import lead_keys


class BenchCompany:
    """`accounts`: addresses of its mailboxes by account. None of them has a daily ceiling."""

    def __init__(self, database: Database, mailboxes: Sequence[str]) -> None:
        self.id = uuid7()
        self.accounts = {uuid7(): address for address in mailboxes}
        self.account_id = next(iter(self.accounts))
        key = b64encode(os.urandom(32)).decode()
        self.keyring = Keyring(secret_key=key, encryption_keys=f"bench:{key}")
        self._database = database

    @classmethod
    async def make(
        cls, database: Database, *, mailboxes: Sequence[str] = ("bench@bench.test",)
    ) -> "BenchCompany":
        company, user_id = cls(database, mailboxes), uuid7()
        async with database.outside_session() as session:
            email = f"{user_id}@bench.test"
            session.add(UserRow(id=user_id, email=email, name="Bench", password_hash="-"))  # noqa: S106 - nobody logs in
        async with database.company_session(company.id) as session:
            session.add(CompanyRow(id=company.id, name="Bench"))
            await session.flush()
            session.add_all(
                AccountRow(
                    id=account_id,
                    user_id=user_id,
                    kind=AccountKind.GMAIL,
                    email=address,
                    is_primary=account_id == company.account_id,
                    daily_limit=None,
                )
                for account_id, address in company.accounts.items()
            )
        return company

    async def make_campaign(self, waits: Sequence[int], recipients: int) -> UUID:
        """An active campaign of mails with pending recipients, each a lead of its own."""
        campaign = CampaignRow(
            id=uuid7(),
            name="Bench",
            type=CampaignType.EMAIL,
            status=CampaignStatus.ACTIVE,
            account_id=self.account_id,
            account_ids=list(self.accounts) if len(self.accounts) > 1 else [],
        )
        steps = [
            StepRow(
                campaign_id=campaign.id,
                position=position,
                channel=Channel.EMAIL,
                subject="A word about {{ lead.city }}" if position == 1 else None,
                message_template="Hello {{ lead.first_name }},\n\n" + "some words of text " * 40,
                delay_seconds=wait,
            )
            for position, wait in enumerate(waits, start=1)
        ]
        async with self._database.company_session(self.id) as session:
            session.add(campaign)
            await session.flush()
            session.add_all(steps)
            await session.flush()
            campaign.version_id = await publish_version(session, campaign.id)
            leads = [self._lead(number) for number in range(recipients)]
            await session.execute(insert(LeadRow), leads)
            enrolled = [{"campaign_id": campaign.id, "lead_id": lead["id"]} for lead in leads]
            await session.execute(insert(RecipientRow), enrolled)
        return campaign.id

    def _lead(self, number: int) -> dict[str, object]:
        # Of this company only: rounds share the mailboxes.
        email = f"lead-{number}@{self.id.hex[-12:]}.example.test"
        return {
            "id": uuid7(),
            "email": email,
            "first_name": f"Lead {number}",
            "city": "Berlin",
            "suppression_keys": lead_keys(self.keyring, email=email),
        }

    @staticmethod
    async def recipients(database: Database, company_id: UUID) -> list[UUID]:
        async with database.company_session(company_id) as session:
            return list(await session.scalars(select(RecipientRow.id)))
