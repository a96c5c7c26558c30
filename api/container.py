"""Where everything the gateway needs is wired, once, by hand."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass

import httpx
from temporalio.client import Client

from api.calendar_parts import make_appointments
from api.call_parts import CallServices, bland_door, make_calls
from api.conducting import Conducting
from api.cookies import Cookies
from api.linkedin_parts import LinkedInServices, make_linkedin
from api.mailbox_parts import gmail_settings, make_accounts, make_connecting, make_mailboxes
from api.metrics import Metrics
from api.openid import openid_provider
from api.parts import Parts
from api.passwords import Passwords
from api.places import Places
from api.push_tokens import push_tokens
from api.services.access import AccessService
from api.services.account_checks import AccountCheckService
from api.services.accounts import AccountService
from api.services.actions import ActionService
from api.services.appointments import AppointmentService
from api.services.audit import AuditService
from api.services.auth import AuthService
from api.services.browser_sessions import BrowserSessionService
from api.services.campaigns import CampaignService
from api.services.companies import CompanyService
from api.services.connecting import ConnectService
from api.services.definitions import DefinitionService
from api.services.erasing import EraseService
from api.services.events import EventService
from api.services.explaining import ExplainService
from api.services.idempotency import IdempotencyService
from api.services.imports import ImportService
from api.services.inbound import InboundService
from api.services.leads import LeadService
from api.services.lifecycle import LifecycleService
from api.services.mailboxes import MailboxService
from api.services.members import MemberService
from api.services.messages import MessageService
from api.services.overview import OverviewService
from api.services.previewing import PreviewService
from api.services.products import ProductService
from api.services.publishing import PublishingService
from api.services.pushes import PushService
from api.services.readiness import ReadinessService, probe_of
from api.services.recipients import RecipientService
from api.services.rehearsing import RehearsalService
from api.services.running import RunService
from api.services.segments import SegmentService
from api.services.sequences import SequenceService
from api.services.steering import SteeringService
from api.services.suppressions import SuppressionService
from api.services.tasks import TaskService
from api.services.templates import TemplateService
from api.services.timeline import TimelineService
from api.services.todos import TodoService
from api.services.tracking import TrackingService
from api.services.unsubscribing import UnsubscribeService
from api.services.webhooks import WebhookService
from api.tokens import AccessTokens
from api.wiring import (
    make_access,
    make_account_checks,
    make_auth,
    make_definitions,
    make_erasing,
    make_previews,
    make_products,
    make_unsubscribing,
    make_webhooks,
    uploads,
)
from shared.config import Settings, environment_names
from shared.db.privileges import refuse_privileges
from shared.db.session import Database, make_engine
from shared.errors import Misconfigured
from shared.installation import (
    calendar_clients,
    calendar_hosts,
    make_google,
    make_keyring,
    make_unipile,
    plain,
    public_url,
    require,
)
from shared.providers.mail_hosts import is_loopback
from shared.storage import make_storage
from shared.telemetry import trace_calls
from shared.webhooks import Destinations
from workflows.client import TemporalConductor, connect_temporal

NEEDED = ("database_url", "temporal_address", "secret_key", "encryption_keys")
GOOGLE_SECONDS = 20

Opened = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """`opened`: a block around all requests, behind which the parts are closed."""

    access: AccessService
    auth: AuthService
    browser_sessions: BrowserSessionService
    cookies: Cookies
    companies: CompanyService
    members: MemberService
    audit: AuditService
    leads: LeadService
    imports: ImportService
    segments: SegmentService
    tasks: TaskService
    todos: TodoService
    appointments: AppointmentService
    timeline: TimelineService
    accounts: AccountService
    account_checks: AccountCheckService
    linkedin: LinkedInServices
    calls: CallServices
    connecting: ConnectService
    mailboxes: MailboxService
    campaigns: CampaignService
    overview: OverviewService
    running: RunService
    rehearsing: RehearsalService
    explaining: ExplainService
    steering: SteeringService
    lifecycle: LifecycleService
    sequences: SequenceService
    publishing: PublishingService
    definitions: DefinitionService
    recipients: RecipientService
    actions: ActionService
    messages: MessageService
    inbound: InboundService
    pushes: PushService
    suppressions: SuppressionService
    unsubscribing: UnsubscribeService
    tracking: TrackingService
    products: ProductService
    templates: TemplateService
    previews: PreviewService
    webhooks: WebhookService
    events: EventService
    erasing: EraseService
    idempotency: IdempotencyService
    readiness: ReadinessService
    metrics: Metrics
    cors_origins: tuple[str, ...]
    uploads: Mapping[str, int]
    opened: Opened


def assemble(parts: Parts, *, opened: Opened = nullcontext) -> Container:
    database, keyring = parts.database, parts.keyring
    tokens = AccessTokens(keyring)
    conducting = Conducting(database=database, conductor=parts.conductor)
    browser_sessions = BrowserSessionService(database=database, keyring=keyring)
    access = make_access(parts, tokens, browser_sessions)
    accounts = make_accounts(parts, conducting)
    inbound = InboundService(database=database, keyring=keyring, conducting=conducting)
    return Container(
        access=access,
        browser_sessions=browser_sessions,
        cookies=Cookies(is_secure=parts.places.public_url.startswith("https:")),
        auth=make_auth(parts, tokens),
        companies=CompanyService(database=database, keyring=keyring),
        members=MemberService(database=database, keyring=keyring),
        audit=AuditService(database=database),
        leads=LeadService(database=database, keyring=keyring),
        imports=ImportService(database=database, conducting=conducting, storage=parts.storage),
        segments=SegmentService(database=database),
        tasks=TaskService(database=database, conducting=conducting),
        todos=TodoService(database=database, conducting=conducting),
        appointments=make_appointments(parts, conducting),
        timeline=TimelineService(database=database),
        accounts=accounts,
        account_checks=make_account_checks(parts, accounts),
        linkedin=make_linkedin(parts, conducting, inbound),
        calls=make_calls(parts, conducting, inbound),
        connecting=make_connecting(parts, conducting),
        mailboxes=make_mailboxes(parts, conducting),
        campaigns=CampaignService(database=database, conducting=conducting),
        overview=OverviewService(database=database, access=access),
        running=RunService(database=database, conducting=conducting),
        rehearsing=RehearsalService(database=database, conducting=conducting),
        explaining=ExplainService(database=database),
        steering=SteeringService(database=database, conducting=conducting),
        lifecycle=LifecycleService(database=database, conducting=conducting),
        sequences=SequenceService(database=database, conducting=conducting),
        publishing=PublishingService(database=database, conducting=conducting),
        definitions=make_definitions(parts, conducting),
        recipients=RecipientService(database=database, conducting=conducting),
        actions=ActionService(database=database),
        messages=MessageService(database=database),
        inbound=inbound,
        pushes=PushService(database=database, conducting=conducting, tokens=parts.push_tokens),
        suppressions=SuppressionService(database=database, keyring=keyring, conducting=conducting),
        unsubscribing=make_unsubscribing(parts, conducting, inbound),
        tracking=TrackingService(database=database, keyring=keyring, conducting=conducting),
        erasing=make_erasing(parts, conducting),
        idempotency=IdempotencyService(database=database, keyring=keyring),
        products=make_products(parts),
        templates=TemplateService(database=database),
        previews=make_previews(parts, conducting),
        webhooks=make_webhooks(parts),
        events=EventService(database=database),
        readiness=ReadinessService(parts.probes),
        metrics=Metrics(),
        cors_origins=parts.places.origins,
        uploads=uploads(parts),
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
        openid = openid_provider(
            http,
            issuer=settings.oidc_issuer,
            audience=settings.oidc_audience,
            jwks_url=settings.oidc_jwks_url,
        )
        open_parts = opening.pop_all()
    database, google = Database(engine), make_google(settings, http)

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        async with open_parts:
            yield

    parts = Parts(
        database=database,
        keyring=keyring,
        conductor=TemporalConductor(temporal),
        google=google,
        places=Places(public_url=public_url(settings), origins=settings.cors_origins),
        passwords=Passwords(),
        openid=openid,
        push_tokens=push_tokens(
            http,
            certs_url=settings.google_certs_url,
            audience=settings.pubsub_audience,
            email=settings.pubsub_service_account,
        ),
        storage=make_storage(settings.object_store_url, settings.data_dir),
        largest_upload_mb=settings.largest_upload_mb,
        destinations=Destinations(is_private_allowed=settings.webhook_private_addresses),
        settings_of=gmail_settings(
            google, http, endpoint=settings.gmail_endpoint, database=database, keyring=keyring
        ),
        calendar_hosts=calendar_hosts(http, google, calendar_clients(settings)),
        unipile=make_unipile(settings, http),
        bland=bland_door(http, settings.bland_endpoint, plain(settings.bland_webhook_secret)),
        unipile_secret=plain(settings.unipile_webhook_secret) or None,
        # An installation that nobody else reaches may have its mail server beside it.
        mail_places=Destinations(
            is_private_allowed=settings.webhook_private_addresses or is_loopback(settings.host)
        ),
        probes={"database": probe_of(engine), "temporal": temporal.service_client.check_health},
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
