"""Wires what reaches leads elsewhere than by mail."""

from dataclasses import dataclass

import httpx

from activities.actions import Ledger
from activities.bland import BlandActivities
from activities.call_ends import CallEnds
from activities.call_meetings import CallMeetings
from activities.linkedin import LinkedInActivities
from activities.linkedin_accounts import LinkedInAccounts
from activities.linkedin_reading import LinkedInReader
from activities.linkedin_tidying import LinkedInTidying
from activities.linkedin_words import LinkedInWriter
from activities.mailboxes import Mailboxes, Postboxes
from activities.phone_lines import PhoneLines
from shared.booking import Booking
from shared.conductor import Conductor
from shared.db.session import Database
from shared.keyring import Keyring
from shared.providers.unipile import UnipileClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What every channel is made with. `public_url`: where our own pages are."""

    database: Database
    keyring: Keyring
    conductor: Conductor
    ledger: Ledger
    http: httpx.AsyncClient
    mailboxes: Mailboxes
    postboxes: Postboxes
    booking: Booking
    public_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedInParts:
    activities: LinkedInActivities
    reader: LinkedInReader
    tidying: LinkedInTidying


def linkedin_parts(shop: Workshop, unipile: UnipileClient | None) -> LinkedInParts:
    accounts = LinkedInAccounts(database=shop.database, client=unipile)
    reader = LinkedInReader(
        database=shop.database, accounts=accounts, keyring=shop.keyring, conductor=shop.conductor
    )
    writer = LinkedInWriter(keyring=shop.keyring, public_url=shop.public_url)
    return LinkedInParts(
        activities=LinkedInActivities(
            ledger=shop.ledger, accounts=accounts, reader=reader, writer=writer
        ),
        reader=reader,
        tidying=LinkedInTidying(database=shop.database, accounts=accounts),
    )


def bland_activities(shop: Workshop, endpoint: str) -> BlandActivities:
    lines = PhoneLines(
        database=shop.database,
        keyring=shop.keyring,
        http=shop.http,
        endpoint=endpoint,
        public_url=shop.public_url,
    )
    return BlandActivities(
        ledger=shop.ledger,
        lines=lines,
        ends=CallEnds(
            database=shop.database,
            keyring=shop.keyring,
            conductor=shop.conductor,
            lines=lines,
            meetings=CallMeetings(
                database=shop.database, conductor=shop.conductor, booking=shop.booking
            ),
        ),
    )
