"""`drumbeat migrate`: bring the tables up to date."""

import asyncio

import typer

from deploy.local.migrate import migrate_meanwhile, migrate_server
from deploy.local.postgres import running_postgres
from deploy.local.reading import read_settings
from shared.config import Settings


def run() -> None:
    """Run the migrations that are missing, as the owner of the tables.

    On a server of your own: DATABASE_URL is the application's login and
    DRUMBEAT_MIGRATION_DATABASE_URL the owner's (deploy/postgres/roles.sql makes both). Without
    them the local database is started for it; `drumbeat up` does the same by itself.

    Example: drumbeat migrate
    """
    settings = read_settings()
    if settings.database_url is None and settings.migration_database_url is None:
        asyncio.run(_migrate_local(settings))
    else:
        migrate_server(settings)
    typer.echo("The tables are up to date.")


async def _migrate_local(settings: Settings) -> None:
    async with running_postgres(settings.data_dir.absolute()) as postgres:
        await migrate_meanwhile(postgres.owner_url)
