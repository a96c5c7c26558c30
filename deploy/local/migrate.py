"""Brings the tables up to date, as their owner and for the application's login."""

import asyncio
from urllib.parse import urlsplit

from shared.config import Settings
from shared.errors import Misconfigured

APP_ROLE = "drumbeat_app"


def migrate(owner_url: str, app_role: str = APP_ROLE) -> None:
    """Blocking. Every migration that is missing runs."""
    from shared.db.migrate import upgrade  # noqa: PLC0415  # 1 s of imports: while servers start

    upgrade(owner_url, app_role)


def migrate_server(settings: Settings) -> None:
    """The same on a server of the user's. Raises Misconfigured when a login is not set."""
    if settings.migration_database_url is None:
        raise Misconfigured(
            "DRUMBEAT_MIGRATION_DATABASE_URL is not set: the tables belong to their owner, and "
            "DATABASE_URL is the login of the application. Set it to the login drumbeat_owner."
        )
    migrate(settings.migration_database_url, login_of(settings.database_url or ""))


async def migrate_meanwhile(owner_url: str) -> None:
    await asyncio.to_thread(migrate, owner_url)


def login_of(url: str) -> str:
    """The role that a database URL logs in as. Raises Misconfigured."""
    login = urlsplit(url).username
    if not login:
        raise Misconfigured("DATABASE_URL names no login: write postgresql://LOGIN:...@HOST/...")
    return login
