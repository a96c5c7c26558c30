"""Makes the company that a group of runs happens to: its accounts, its leads, their campaigns."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from deploy.chaos.faults import Place
from deploy.chaos.plans import Plan
from deploy.chaos.world import SELLERS, Person, World
from shared.bland_logins import BlandLogin, store_bland_login
from shared.contracts.recipient import RecipientRef
from shared.db.models import (
    AccountRow,
    CampaignRow,
    CompanyRow,
    LeadRow,
    LinkedInAccountRow,
    RecipientRow,
    StepRow,
    UserRow,
)
from shared.db.models.campaigns import CampaignStatus, CampaignType
from shared.db.repositories.versions import publish_version
from shared.domain.channels import AccountKind, Channel
from shared.keyring import Keyring
from shared.mail_logins import MailLogins, store_logins
from shared.providers.mail_hosts import MailLogin, Security, Server
from shared.suppression import lead_keys

WAIT_SECONDS = 3 * 86_400
NOWHERE = Server(host="127.0.0.1", port=1, security=Security.NONE)
CONSENT = "calls: 2026-03-01, web form"


class Settling:
    """`asks`: the company wants to be asked about mails of which nobody knows what they became."""

    def __init__(
        self, world: World, keyring: Keyring, *, asks: bool, wait_seconds: int = WAIT_SECONDS
    ) -> None:
        self._world, self._keyring = world, keyring
        self._asks, self._wait_seconds = asks, wait_seconds

    async def settle_down(self, plans: Sequence[Plan], started_at: datetime) -> list[Person]:
        """Make the company with its accounts, and one person for each plan."""
        user_id, world = uuid7(), self._world
        async with world.database.outside_session() as session:
            email = f"{user_id}@acme.test"
            session.add(UserRow(id=user_id, email=email, name="Sam", password_hash="-"))  # noqa: S106 - nobody logs in
        async with world.database.company_session(world.company_id) as session:
            settings = {"asks_about_unconfirmed": self._asks}
            session.add(CompanyRow(id=world.company_id, name="Acme", settings=settings))
            await session.flush()
            session.add_all(_account(world, place, user_id) for place in world.accounts)
        await self._connect(user_id, started_at)
        return [await self._welcome(plan, started_at) for plan in plans]

    async def _connect(self, user_id: UUID, at: datetime) -> None:
        """Leave the secrets, and what an account is called elsewhere."""
        world, me = self._world, self._world.providers.me
        smtp, bland = world.accounts[Place.SMTP], world.accounts[Place.BLAND]
        login = MailLogin(server=NOWHERE, username=str(smtp), password="-")  # noqa: S106 - nobody asks for it
        owner = {"user_id": user_id, "company_id": world.company_id}
        async with world.database.company_session(world.company_id, user_id=user_id) as session:
            logins = MailLogins(smtp=login, imap=login)
            await store_logins(session, self._keyring, logins, account_id=smtp, **owner)
            key = BlandLogin(api_key=world.providers.bland.api_key)
            await store_bland_login(session, self._keyring, key, account_id=bland, **owner)
            session.add(
                LinkedInAccountRow(
                    account_id=world.accounts[Place.LINKEDIN],
                    provider_id=me.id,
                    member_id=world.providers.unipile.world.member_id(me.id, me.public_id),
                    public_id=me.public_id,
                    note_limit=300,
                    connected_at=at,
                )
            )

    async def _welcome(self, plan: Plan, started_at: datetime) -> Person:
        world, person = self._world, f"lead-{plan.run}"
        world.providers.unipile.world.members.add(person)
        lead = self._lead(plan, person)
        campaign = CampaignRow(
            id=uuid7(),
            name=f"Run {plan.run}",
            type=CampaignType.MULTI,
            status=CampaignStatus.ACTIVE,
            account_id=world.accounts[plan.mail],
        )
        steps = [
            _step(campaign.id, number, channel, 0 if number == 1 else self._wait_seconds)
            for number, channel in enumerate(plan.channels, start=1)
        ]
        recipient = RecipientRow(
            id=uuid7(),
            campaign_id=campaign.id,
            lead_id=lead.id,
            started_at=started_at,
            launched_at=started_at,
        )
        async with world.database.company_session(world.company_id) as session:
            session.add_all([lead, campaign])
            await session.flush()
            session.add_all([*steps, recipient])
            await session.flush()
            campaign.version_id = await publish_version(session, campaign.id)
        return Person(
            address=str(lead.email),
            phone=str(lead.phone),
            public_id=person,
            lead_id=lead.id,
            recipient=RecipientRef(
                company_id=world.company_id, campaign_id=campaign.id, recipient_id=recipient.id
            ),
            mail=plan.mail,
            numbers={step.id: step.position for step in steps},
        )

    def _lead(self, plan: Plan, person: str) -> LeadRow:
        address, phone = f"{person}@example.test", f"+49301{plan.run:07}"
        return LeadRow(
            id=uuid7(),
            email=address,
            phone=phone,
            linkedin_url=f"https://www.linkedin.com/in/{person}",
            first_name="Ada",
            country="DE",
            region="BE",
            consent=CONSENT,
            suppression_keys=lead_keys(self._keyring, email=address, phone=phone),
        )


def _account(world: World, place: Place, user_id: UUID) -> AccountRow:
    return AccountRow(
        id=world.accounts[place],
        user_id=user_id,
        kind=AccountKind(place),
        email=SELLERS[place],
        is_primary=place is Place.GMAIL,
        # High enough never to matter, and yet attempts have to queue for it.
        daily_limit=10_000,
        limits={"messages_per_day": 1_000} if place is Place.LINKEDIN else {},
    )


def _step(campaign_id: UUID, number: int, channel: Channel, wait_seconds: int) -> StepRow:
    return StepRow(
        id=uuid7(),
        campaign_id=campaign_id,
        position=number,
        channel=channel,
        subject="Hello" if channel is Channel.EMAIL and number == 1 else None,
        # What tells the steps apart without asking our own keys.
        message_template=f"Hello {{{{ lead.first_name }}}}, this is step number [{number}].",
        delay_seconds=wait_seconds,
    )
