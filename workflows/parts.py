"""Everything a worker's activities need, wired once, by hand."""

import ssl
from dataclasses import dataclass

import httpx
from obstore.store import MemoryStore

from activities.actions import Ledger
from activities.answers import AnswerActivities
from activities.appointments import AppointmentActivities
from activities.bland import BlandActivities
from activities.forgetting import ForgettingActivities
from activities.gmail import GmailActivities
from activities.importing import ImportActivities
from activities.inbox import InboxActivities
from activities.launch import LaunchActivities
from activities.linkedin import LinkedInActivities
from activities.linkedin_tidying import LinkedInTidying
from activities.mailboxes import Mailboxes, Postboxes, TokenSourceOf
from activities.mapping import MappingModel
from activities.recipient import RecipientActivities
from activities.rehearsing import RehearsalActivities
from activities.reply_model import ReplyModel
from activities.samples import SampleActivities
from activities.smtp import SmtpActivities
from activities.sweep import SweepActivities
from activities.tasks import TaskActivities
from activities.tidying import TidyingActivities
from activities.waking import WakingActivities
from activities.watching import WatchActivities
from activities.webhook_calls import WebhookCaller
from activities.webhook_ledger import WebhookLedger
from activities.webhooks import WebhookActivities
from shared.booking import Booking
from shared.calendars import Calendars, Hosts
from shared.conductor import Conductor
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from shared.domain.webhooks import Patience
from shared.keyring import Keyring
from shared.providers.unipile import UnipileClient
from shared.storage import Storage
from shared.webhooks import Destinations
from workflows.channel_parts import Workshop, bland_activities, linkedin_parts
from workflows.mail_parts import mail_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    recipient: RecipientActivities
    gmail: GmailActivities
    smtp: SmtpActivities
    linkedin: LinkedInActivities
    linkedin_tidying: LinkedInTidying
    bland: BlandActivities
    tasks: TaskActivities
    launch: LaunchActivities
    inbox: InboxActivities
    answers: AnswerActivities
    appointments: AppointmentActivities
    waking: WakingActivities
    sweep: SweepActivities
    tidying: TidyingActivities
    watching: WatchActivities
    forgetting: ForgettingActivities
    webhooks: WebhookActivities
    samples: SampleActivities
    rehearsing: RehearsalActivities
    imports: ImportActivities


def make_parts(
    *,
    database: Database,
    keyring: Keyring,
    conductor: Conductor,
    http: httpx.AsyncClient,
    token_source_of: TokenSourceOf,
    gmail_endpoint: str,
    bland_endpoint: str = "http://127.0.0.1",
    poll_seconds: float,
    webhook_caller: WebhookCaller | None = None,
    patience: Patience | None = None,
    storage: Storage | None = None,
    mapping_model: MappingModel | None = None,
    reply_model: ReplyModel | None = None,
    push_topic: str | None = None,
    mail_tls: ssl.SSLContext | None = None,
    postboxes: Postboxes | None = None,
    public_url: str = "http://127.0.0.1",
    unipile: UnipileClient | None = None,
    calendar_hosts: Hosts | None = None,
) -> Parts:
    """`http` carries the calls to providers and sets their time-outs. `mail_tls`: whom to trust
    among mail servers, else the system's list. `public_url`: where our own pages are."""
    shelf = VersionShelf()
    shop = Workshop(
        database=database,
        keyring=keyring,
        conductor=conductor,
        ledger=Ledger(database=database, shelf=shelf),
        http=http,
        mailboxes=Mailboxes(http=http, endpoint=gmail_endpoint, token_source_of=token_source_of),
        postboxes=postboxes or Postboxes(database=database, keyring=keyring, tls=mail_tls),
        booking=_booking(database, keyring, calendar_hosts or {}),
        public_url=public_url,
    )
    linkedin = linkedin_parts(shop, unipile)
    mail = mail_parts(shop, linkedin.reader, poll_seconds=poll_seconds, push_topic=push_topic)
    return Parts(
        recipient=RecipientActivities(ledger=shop.ledger),
        gmail=mail.gmail,
        smtp=mail.smtp,
        linkedin=linkedin.activities,
        linkedin_tidying=linkedin.tidying,
        bland=bland_activities(shop, bland_endpoint),
        tasks=TaskActivities(ledger=shop.ledger),
        launch=LaunchActivities(database=database, conductor=conductor, shelf=shelf),
        inbox=mail.inbox,
        answers=_answers(shop, reply_model),
        appointments=_appointments(shop),
        waking=WakingActivities(database=database, conductor=conductor),
        sweep=SweepActivities(database=database, conductor=conductor),
        tidying=mail.tidying,
        watching=mail.watching,
        forgetting=ForgettingActivities(database=database),
        webhooks=_webhooks(database, keyring, webhook_caller, patience),
        samples=mail.samples,
        rehearsing=RehearsalActivities(database=database),
        imports=_imports(database, keyring, storage, mapping_model),
    )


def _booking(database: Database, keyring: Keyring, hosts: Hosts) -> Booking:
    calendars = Calendars(database=database, keyring=keyring, hosts=hosts)
    return Booking(database=database, keyring=keyring, calendars=calendars)


def _appointments(shop: Workshop) -> AppointmentActivities:
    return AppointmentActivities(
        database=shop.database, conductor=shop.conductor, booking=shop.booking
    )


def _answers(shop: Workshop, model: ReplyModel | None) -> AnswerActivities:
    return AnswerActivities(
        database=shop.database, keyring=shop.keyring, conductor=shop.conductor, model=model
    )


def _webhooks(
    database: Database, keyring: Keyring, caller: WebhookCaller | None, patience: Patience | None
) -> WebhookActivities:
    return WebhookActivities(
        ledger=WebhookLedger(database=database, patience=patience or Patience()),
        keyring=keyring,
        caller=caller or WebhookCaller(Destinations()),
    )


def _imports(
    database: Database, keyring: Keyring, storage: Storage | None, model: MappingModel | None
) -> ImportActivities:
    return ImportActivities(
        database=database, storage=storage or Storage(MemoryStore()), keyring=keyring, model=model
    )
