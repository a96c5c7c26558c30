"""Everything a worker's activities need, wired once, by hand."""

from dataclasses import dataclass

import httpx
from obstore.store import MemoryStore

from activities.actions import Ledger
from activities.gmail import GmailActivities
from activities.importing import ImportActivities
from activities.inbox import InboxActivities, MailboxReader
from activities.launch import LaunchActivities
from activities.mailboxes import Mailboxes, TokenSourceOf
from activities.mapping import MappingModel
from activities.recipient import RecipientActivities
from activities.sweep import SweepActivities
from activities.tidying import TidyingActivities
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
    launch: LaunchActivities
    inbox: InboxActivities
    sweep: SweepActivities
    tidying: TidyingActivities
    webhooks: WebhookActivities
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
) -> Parts:
    """`http` carries the calls to providers and sets their time-outs."""
    shelf = VersionShelf()
    ledger = Ledger(database=database, shelf=shelf)
    mailboxes = Mailboxes(http=http, endpoint=gmail_endpoint, token_source_of=token_source_of)
    reader = MailboxReader(
        database=database, mailboxes=mailboxes, keyring=keyring, conductor=conductor
    )
    return Parts(
        recipient=RecipientActivities(ledger=ledger),
        gmail=GmailActivities(ledger=ledger, mailboxes=mailboxes, reader=reader, keyring=keyring),
        launch=LaunchActivities(database=database, conductor=conductor, shelf=shelf),
        inbox=InboxActivities(database=database, reader=reader, poll_seconds=poll_seconds),
        sweep=SweepActivities(database=database, conductor=conductor),
        tidying=TidyingActivities(database=database, mailboxes=mailboxes),
        webhooks=WebhookActivities(
            ledger=WebhookLedger(database=database, patience=patience or Patience()),
            keyring=keyring,
            caller=webhook_caller or WebhookCaller(Destinations()),
        ),
        imports=ImportActivities(
            database=database,
            storage=storage or Storage(MemoryStore()),
            keyring=keyring,
            model=mapping_model,
        ),
    )
