"""Wires what connects, changes and opens mailboxes."""

import httpx

from api.conducting import Conducting
from api.parts import Parts
from api.services.accounts import AccountService, SettingsOf
from api.services.connecting import ConnectService
from api.services.mailboxes import MailboxService
from shared.db.session import Database
from shared.keyring import Keyring
from shared.providers.gmail_settings import GmailSettings
from shared.providers.google_oauth import GoogleOAuth
from shared.tokens import AccountTokens


def make_accounts(parts: Parts, conducting: Conducting) -> AccountService:
    return AccountService(
        database=parts.database,
        keyring=parts.keyring,
        google=parts.google,
        conducting=conducting,
        settings_of=parts.settings_of,
        unipile=parts.unipile,
    )


def make_connecting(parts: Parts, conducting: Conducting) -> ConnectService:
    return ConnectService(
        database=parts.database,
        keyring=parts.keyring,
        conducting=conducting,
        google=parts.google,
        places=parts.places,
    )


def make_mailboxes(parts: Parts, conducting: Conducting) -> MailboxService:
    return MailboxService(
        database=parts.database,
        keyring=parts.keyring,
        conducting=conducting,
        places=parts.mail_places,
    )


def gmail_settings(
    google: GoogleOAuth | None,
    http: httpx.AsyncClient,
    *,
    endpoint: str,
    database: Database,
    keyring: Keyring,
) -> SettingsOf | None:
    """Opens Gmail for what a person has set there; None without an OAuth client."""
    if google is None:
        return None
    tokens = AccountTokens(database=database, oauth=google, keyring=keyring)
    return lambda account: GmailSettings(http, endpoint=endpoint, tokens=tokens.source(account))
