"""The gateway in the test's own process, and people of two companies who call it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any
from uuid import UUID

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from obstore.store import MemoryStore
from starlette.routing import BaseRoute
from uuid_utils.compat import uuid7

from api.container import Container, assemble
from api.main import _make_app, create_app
from api.parts import Parts
from api.passwords import Passwords
from api.places import Places
from api.tokens import AccessTokens
from shared.db.models import ActionRow, ActionStatus, MembershipRow, Role, UserRow
from shared.db.session import Database
from shared.keyring import Keyring
from shared.providers.mail_hosts import is_loopback
from shared.storage import Storage
from shared.webhooks import Destinations
from tests.api.acting import Workers, working
from tests.api.google import FakeGoogle
from tests.factories import NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail
from tests.fakes.zone import FakeZone

GATEWAY = "http://gateway.test"
FRONTEND = "http://frontend.test"

Login = Callable[[Company, Role], Awaitable[httpx.AsyncClient]]


@pytest.fixture
def google() -> FakeGoogle:
    return FakeGoogle()


@pytest.fixture
def places() -> Places:
    return Places(public_url=GATEWAY, origins=(FRONTEND,))


@pytest.fixture
def storage() -> Storage:
    return Storage(MemoryStore())


@pytest.fixture
def zone() -> FakeZone:
    """What DNS answers: nothing, unless a test says otherwise."""
    return FakeZone()


class OnlyHere(Destinations):
    """No test calls a mail server of the world, whatever it fills in."""

    async def find(self, host: str, port: int) -> list[str]:
        if not is_loopback(host):
            raise OSError(host)
        return [host]


@pytest.fixture
def parts(
    *,
    database: Database,
    keyring: Keyring,
    conductor: RecordingConductor,
    google: FakeGoogle,
    places: Places,
    storage: Storage,
    zone: FakeZone,
) -> Parts:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return Parts(
        database=database,
        keyring=keyring,
        conductor=conductor,
        google=google.oauth(redirect_uri=places.callback_url),
        places=places,
        passwords=Passwords(cheap),
        storage=storage,
        destinations=Destinations(is_private_allowed=True),
        settings_of=google.settings_of,
        mail_places=OnlyHere(is_private_allowed=True),
        resolver=zone,
        probes={},
    )


@pytest.fixture
def container(parts: Parts) -> Container:
    return assemble(parts)


@pytest.fixture(scope="session")
def routes() -> list[BaseRoute]:
    """FastAPI works them out at a first request, which takes longer than most tests: so once."""
    return _make_app().router.routes


@pytest.fixture
def app(container: Container, routes: list[BaseRoute]) -> FastAPI:
    app = create_app(container)
    app.router.routes[:] = routes
    return app


@pytest.fixture
async def anybody(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without credentials."""
    async with _client(app, {}) as client:
        yield client


@pytest.fixture
async def login(app: FastAPI, database: Database, keyring: Keyring) -> AsyncIterator[Login]:
    """Makes a client of a new user who has this role in this company."""
    async with AsyncExitStack() as stack:

        async def login_as(company: Company, role: Role) -> httpx.AsyncClient:
            user_id = await _make_user(database)
            return await stack.enter_async_context(
                _client(app, await _headers(company, user_id, role, keyring))
            )

        yield login_as


@pytest.fixture
async def api(app: FastAPI, company: Company, keyring: Keyring) -> AsyncIterator[httpx.AsyncClient]:
    """The admin of `company`, who also owns its mailbox."""
    headers = await _headers(company, company.user_id, Role.ADMIN, keyring)
    async with _client(app, headers) as client:
        yield client


def _client(
    app: FastAPI, headers: dict[str, str]
) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=GATEWAY, headers=headers)


async def _headers(company: Company, user_id: UUID, role: Role, keyring: Keyring) -> dict[str, str]:
    async with company.session() as session:
        session.add(MembershipRow(user_id=user_id, role=role))
    return {"Authorization": f"Bearer {AccessTokens(keyring).issue(user_id, None)}"}


async def _make_user(database: Database) -> UUID:
    user_id = uuid7()
    async with database.outside_session() as session:
        email = f"kim-{user_id}@acme.test"
        session.add(UserRow(id=user_id, email=email, name="Kim", password_hash="-"))
    return user_id


@pytest.fixture
async def campaign(company: Company) -> Campaign:
    """Active, with three mails."""
    return await company.make_campaign()


@pytest.fixture
def url(campaign: Campaign) -> str:
    """Its recipients."""
    return f"/api/campaigns/{campaign.id}/recipients"


def make_action(campaign: Campaign, company: Company, recipient_id: UUID, **more: Any) -> ActionRow:
    """A mail of step 1 that was sent at noon."""
    return ActionRow(
        id=uuid7(),
        recipient_id=recipient_id,
        campaign_id=campaign.id,
        account_id=company.account_id,
        **{
            "version_id": uuid7(),
            "step_id": campaign.step_ids[0],
            "planned_at": NOON,
            "attempted_at": NOON,
            "settled_at": NOON,
            "status": ActionStatus.SENT,
            **more,
        },
    )


@pytest.fixture
async def workers(
    company: Company,
    database: Database,
    keyring: Keyring,
    conductor: RecordingConductor,
    gmail: FakeGmail,
) -> AsyncIterator[Workers]:
    async with working(
        company, database=database, keyring=keyring, conductor=conductor, gmail=gmail
    ) as workers:
        yield workers
