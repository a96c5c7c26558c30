"""Where everything the gateway needs is wired, once, by hand."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from api.conducting import Conducting
from api.metrics import Metrics
from api.passwords import Passwords
from api.places import Places
from api.services.access import AccessService
from api.services.accounts import AccountService
from api.services.actions import ActionService
from api.services.auth import AuthService
from api.services.campaigns import CampaignService
from api.services.companies import CompanyService
from api.services.connecting import ConnectService
from api.services.inbound import InboundService
from api.services.leads import LeadService
from api.services.lifecycle import LifecycleService
from api.services.readiness import Probe, ReadinessService
from api.services.recipients import RecipientService
from api.services.sequences import SequenceService
from api.tokens import AccessTokens
from shared.conductor import Conductor
from shared.config import Settings, environment_names
from shared.db.privileges import refuse_privileges
from shared.db.session import Database, make_engine
from shared.errors import Misconfigured
from shared.installation import google_endpoints, make_keyring, plain, public_url, require
from shared.keyring import Keyring
from shared.providers.google_oauth import GoogleOAuth
from shared.telemetry import trace_calls
from workflows.client import TemporalConductor, connect_temporal

NEEDED = ("database_url", "temporal_address", "secret_key", "encryption_keys")
GOOGLE_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """`opened`: a block around all requests, behind which the parts are closed."""

    access: AccessService
    auth: AuthService
    companies: CompanyService
    leads: LeadService
    accounts: AccountService
    connecting: ConnectService
    campaigns: CampaignService
    lifecycle: LifecycleService
    sequences: SequenceService
    recipients: RecipientService
    actions: ActionService
    inbound: InboundService
    readiness: ReadinessService
    metrics: Metrics
    cors_origins: tuple[str, ...]
    opened: Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the services are made of; tests bring their own."""

    database: Database
    keyring: Keyring
    conductor: Conductor
    google: GoogleOAuth | None
    places: Places
    passwords: Passwords
    probes: Mapping[str, Probe]


def assemble(
    parts: Parts, *, opened: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
) -> Container:
    database, keyring = parts.database, parts.keyring
    tokens = AccessTokens(keyring)
    conducting = Conducting(database=database, conductor=parts.conductor)
    return Container(
        access=AccessService(database=database, keyring=keyring, tokens=tokens),
        auth=AuthService(
            database=database, keyring=keyring, tokens=tokens, passwords=parts.passwords
        ),
        companies=CompanyService(database=database, keyring=keyring),
        leads=LeadService(database=database, keyring=keyring),
        accounts=AccountService(database=database, keyring=keyring, google=parts.google),
        connecting=ConnectService(
            database=database,
            keyring=keyring,
            conducting=conducting,
            google=parts.google,
            places=parts.places,
        ),
        campaigns=CampaignService(database=database, conducting=conducting),
        lifecycle=LifecycleService(database=database, conducting=conducting),
        sequences=SequenceService(database=database, conducting=conducting),
        recipients=RecipientService(database=database, conducting=conducting),
        actions=ActionService(database=database),
        inbound=InboundService(database=database, keyring=keyring, conducting=conducting),
        readiness=ReadinessService(parts.probes),
        metrics=Metrics(),
        cors_origins=parts.places.origins,
        opened=opened,
    )


async def build_container(settings: Settings) -> Container:
    """Wire the real parts, inside the event loop that will serve.

    Raises Misconfigured, naming each setting that is missing or wrong.
    """
    _require_all(settings)
    keyring = make_keyring(settings)
    # What is open is closed again, be it now because the next part fails, or at the end.
    async with AsyncExitStack() as opening:
        engine = make_engine(require(settings, "database_url"))
        opening.push_async_callback(engine.dispose)
        await refuse_privileges(engine)
        temporal = await _connect(settings)
        http = await opening.enter_async_context(httpx.AsyncClient(timeout=GOOGLE_SECONDS))
        trace_calls(http)
        open_parts = opening.pop_all()

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        async with open_parts:
            yield

    parts = Parts(
        database=Database(engine),
        keyring=keyring,
        conductor=TemporalConductor(temporal),
        google=_google(settings, http),
        places=Places(public_url=public_url(settings), origins=settings.cors_origins),
        passwords=Passwords(),
        probes={"database": lambda: _ask(engine), "temporal": temporal.service_client.check_health},
    )
    return assemble(parts, opened=opened)


def _require_all(settings: Settings) -> None:
    missing = [environment_names(name)[0] for name in NEEDED if getattr(settings, name) is None]
    if missing:
        raise Misconfigured(f"The gateway needs {', '.join(missing)}: see deploy/SETTINGS.md")


async def _connect(settings: Settings) -> Client:
    address = require(settings, "temporal_address")
    try:
        return await connect_temporal(
            address,
            namespace=settings.temporal_namespace,
            api_key=plain(settings.temporal_api_key) or None,
            is_traced=settings.otel_exporter_otlp_endpoint is not None,
        )
    except RuntimeError as error:
        raise Misconfigured(f"TEMPORAL_ADDRESS {address} does not answer: {error}") from None


def _google(settings: Settings, http: httpx.AsyncClient) -> GoogleOAuth | None:
    """Without an OAuth client no account can be connected, but everything else works."""
    if settings.google_client_id is None or settings.google_client_secret is None:
        return None
    return GoogleOAuth(http, google_endpoints(settings))


async def _ask(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("select 1"))
