"""Everything a worker's activities need, wired once, by hand."""

import ssl
from dataclasses import dataclass

import httpx
from obstore.store import MemoryStore

from activities.actions import Ledger
from activities.answers import AnswerActivities
from activities.forgetting import ForgettingActivities
from activities.gmail import GmailActivities
from activities.importing import ImportActivities
from activities.inbox import InboxActivities, MailboxReader
from activities.launch import LaunchActivities
from activities.letters import LetterWriter
from activities.mailboxes import Mailboxes, Postboxes, TokenSourceOf
from activities.mapping import MappingModel
from activities.recipient import RecipientActivities
from activities.reply_model import ReplyModel
from activities.samples import SampleActivities
from activities.smtp import SmtpActivities
from activities.sweep import SweepActivities
from activities.tidying import TidyingActivities
from activities.watching import WatchActivities
from activities.webhook_calls import WebhookCaller
from activities.webhook_ledger import WebhookLedger
from activities.webhooks import WebhookActivities
from shared.conductor import Conductor
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from shared.domain.webhooks import Patience
from shared.keyring import Keyring
from shared.storage import Storage
from shared.webhooks import Destinations


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    recipient: RecipientActivities
    gmail: GmailActivities
    smtp: SmtpActivities
    launch: LaunchActivities
    inbox: InboxActivities
    answers: AnswerActivities
    sweep: SweepActivities
    tidying: TidyingActivities
    watching: WatchActivities
    forgetting: ForgettingActivities
    webhooks: WebhookActivities
    samples: SampleActivities
    imports: ImportActivities


def make_parts(
    *,
    database: Database,
    keyring: Keyring,
    conductor: Conductor,
    http: httpx.AsyncClient,
    token_source_of: TokenSourceOf,
    gmail_endpoint: str,
    poll_seconds: float,
    webhook_caller: WebhookCaller | None = None,
    patience: Patience | None = None,
    storage: Storage | None = None,
    mapping_model: MappingModel | None = None,
    reply_model: ReplyModel | None = None,
    push_topic: str | None = None,
    mail_tls: ssl.SSLContext | None = None,
    public_url: str = "http://127.0.0.1",
) -> Parts:
    """`http` carries the calls to providers and sets their time-outs.

    `mail_tls`: whom to trust among mail servers, else the system's list. `public_url`: where the
    pages are that the links in mails lead to.
    """
    shelf = VersionShelf()
    ledger = Ledger(database=database, shelf=shelf)
    mailboxes = Mailboxes(http=http, endpoint=gmail_endpoint, token_source_of=token_source_of)
    postboxes = Postboxes(database=database, keyring=keyring, tls=mail_tls)
    reader = MailboxReader(
        database=database,
        mailboxes=mailboxes,
        postboxes=postboxes,
        keyring=keyring,
        conductor=conductor,
    )
    writer = LetterWriter(keyring=keyring, public_url=public_url)
    return Parts(
        recipient=RecipientActivities(ledger=ledger),
        gmail=GmailActivities(
            ledger=ledger, mailboxes=mailboxes, reader=reader, writer=writer, keyring=keyring
        ),
        smtp=SmtpActivities(ledger=ledger, postboxes=postboxes, reader=reader, writer=writer),
        launch=LaunchActivities(database=database, conductor=conductor, shelf=shelf),
        inbox=InboxActivities(database=database, reader=reader, poll_seconds=poll_seconds),
        answers=AnswerActivities(
            database=database, keyring=keyring, conductor=conductor, model=reply_model
        ),
        sweep=SweepActivities(database=database, conductor=conductor),
        tidying=TidyingActivities(database=database, mailboxes=mailboxes),
        watching=WatchActivities(database=database, mailboxes=mailboxes, topic=push_topic),
        forgetting=ForgettingActivities(database=database),
        webhooks=_webhooks(database, keyring, webhook_caller, patience),
        samples=SampleActivities(
            database=database,
            keyring=keyring,
            mailboxes=mailboxes,
            postboxes=postboxes,
            public_url=public_url,
        ),
        imports=_imports(database, keyring, storage, mapping_model),
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
