"""A company with one mailbox and as many leads as a benchmark needs."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from uuid_utils.compat import uuid7

from deploy.bench.gateway import Keys
from shared.db.models import (
    AccountRow,
    CampaignRow,
    CompanyRow,
    LeadRow,
    MembershipRow,
    RecipientRow,
    Role,
    StepRow,
    UserRow,
)
from shared.db.models.campaigns import CampaignStatus, CampaignType
from shared.db.repositories.versions import publish_version
from shared.db.session import Database
from shared.domain.channels import AccountKind, Channel
from shared.keyring import Keyring
from shared.suppression import lead_keys

# Rows a transaction.
AT_ONCE = 5_000
# A lead's zone by its number; None: the company's.
ZoneOf = Callable[[int], str | None]


class BenchCompany:
    """`accounts`: addresses of its mailboxes by account. None of them has a daily ceiling.

    `user_id`: its admin.
    """

    def __init__(self, database: Database, mailboxes: Sequence[str], keyring: Keyring) -> None:
        self.id, self.user_id = uuid7(), uuid7()
        self.accounts = {uuid7(): address for address in mailboxes}
        self.account_id = next(iter(self.accounts))
        self.keyring = keyring
        self._database = database

    @classmethod
    async def make(
        cls,
        database: Database,
        *,
        mailboxes: Sequence[str] = ("bench@bench.test",),
        keyring: Keyring | None = None,
    ) -> "BenchCompany":
        company = cls(database, mailboxes, keyring or Keys().keyring())
        user_id = company.user_id
        async with database.outside_session() as session:
            email = f"{user_id}@bench.test"
            session.add(UserRow(id=user_id, email=email, name="Bench", password_hash="-"))  # noqa: S106 - nobody logs in
        async with database.company_session(company.id) as session:
            session.add(CompanyRow(id=company.id, name="Bench"))
            await session.flush()
            session.add(MembershipRow(user_id=user_id, role=Role.ADMIN))
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

    async def make_campaign(
        self,
        waits: Sequence[int],
        recipients: int,
        *,
        is_active: bool = True,
        window: dict[str, Any] | None = None,
        zone_of: ZoneOf = lambda _: None,
    ) -> UUID:
        """A campaign of mails with pending recipients, each a lead of its own."""
        campaign = CampaignRow(
            id=uuid7(),
            name="Bench",
            type=CampaignType.EMAIL,
            status=CampaignStatus.ACTIVE if is_active else CampaignStatus.DRAFT,
            window=window,
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
            if is_active:
                campaign.version_id = await publish_version(session, campaign.id)
        for first in range(0, recipients, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, recipients))
            await self._enrol(
                campaign.id, [self._lead(campaign.id, n, zone_of(n)) for n in numbers]
            )
        return campaign.id

    async def _enrol(self, campaign_id: UUID, leads: Sequence[dict[str, object]]) -> None:
        async with self._database.company_session(self.id) as session:
            await session.execute(insert(LeadRow), leads)
            enrolled = [{"campaign_id": campaign_id, "lead_id": lead["id"]} for lead in leads]
            await session.execute(insert(RecipientRow), enrolled)

    def _lead(self, campaign_id: UUID, number: int, time_zone: str | None) -> dict[str, object]:
        # Of this campaign only: rounds share the mailboxes.
        email = f"lead-{number}@{campaign_id.hex[-12:]}.example.test"
        return {
            "id": uuid7(),
            "email": email,
            "first_name": f"Lead {number}",
            "city": "Berlin",
            "time_zone": time_zone,
            "suppression_keys": lead_keys(self.keyring, email=email),
        }

    @staticmethod
    async def recipients(database: Database, company_id: UUID) -> list[UUID]:
        async with database.company_session(company_id) as session:
            return list(await session.scalars(select(RecipientRow.id)))
