"""Everything a worker's activities need, wired once, by hand."""

from dataclasses import dataclass

import httpx

from activities.actions import Ledger
from activities.gmail import GmailActivities
from activities.inbox import InboxActivities, MailboxReader
from activities.launch import LaunchActivities
from activities.mailboxes import Mailboxes, TokenSourceOf
from activities.recipient import RecipientActivities
from activities.sweep import SweepActivities
from shared.conductor import Conductor
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from shared.keyring import Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    recipient: RecipientActivities
    gmail: GmailActivities
    launch: LaunchActivities
    inbox: InboxActivities
    sweep: SweepActivities


def make_parts(
    *,
    database: Database,
    keyring: Keyring,
    conductor: Conductor,
    http: httpx.AsyncClient,
    token_source_of: TokenSourceOf,
    gmail_endpoint: str,
    poll_seconds: float,
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
    )
