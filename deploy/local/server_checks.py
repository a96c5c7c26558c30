"""The checks of the two servers: our own programs, or the ones that the settings name."""

import asyncio
import subprocess
from pathlib import Path

import psycopg
from temporalio.client import Client
from temporalio.service import RPCError

from deploy.local import temporal_build
from deploy.local.checks import Check
from deploy.local.postgres import binaries
from deploy.local.temporal_namespace import missing_attributes
from deploy.local.temporal_source import SOURCES, Kind, NotHere, ServerBinary
from shared.config import Settings
from shared.errors import Misconfigured

OLDEST_POSTGRES = 16
SECONDS = 5
ROLES_REMEDY = "make the roles with deploy/postgres/roles.sql and log in as drumbeat_app"
MIGHT = """
    select current_setting('server_version_num')::int / 10000, rolsuper, rolbypassrls,
           exists (select from pg_class where relowner = pg_roles.oid)
               or exists (select from pg_database where datdba = pg_roles.oid)
               or pg_has_role(datdba, 'member')
      from pg_roles, pg_database
     where rolname = current_user and datname = current_database()
"""


async def server_checks(settings: Settings) -> list[Check]:
    database = await asyncio.to_thread(check_database, settings)
    return [database, *await check_temporal(settings)]


def check_database(settings: Settings) -> Check:
    """Blocking."""
    if settings.database_url is None:
        return _own_postgres()
    url = settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        with psycopg.connect(url, connect_timeout=SECONDS) as connection:
            row = connection.execute(MIGHT).fetchone()
    except psycopg.Error as error:
        found = f"DATABASE_URL cannot be reached: {str(error).splitlines()[0]}"
        remedy = "start that server, correct the URL, or leave DATABASE_URL away"
        return Check(name="database", is_ok=False, found=found, remedy=remedy)
    return _judge_login(*(row or (0, False, False, False)))


def _judge_login(version: int, is_super: bool, is_bypassing: bool, is_owner: bool) -> Check:
    faults = {
        f"Postgres {version} is too old": version < OLDEST_POSTGRES,
        "the login is a superuser": is_super,
        "the login has BYPASSRLS": is_bypassing,
        "the login owns tables or the database": is_owner and not is_super,
    }
    found = ", ".join(text for text, is_so in faults.items() if is_so)
    if found:
        remedy = f"{ROLES_REMEDY}: row level security binds nobody else"
        return Check(name="database", is_ok=False, found=found, remedy=remedy)
    return Check(name="database", is_ok=True, found=f"DATABASE_URL answers, Postgres {version}")


def _own_postgres() -> Check:
    try:
        postgres = binaries() / "postgres"
        shown = subprocess.run(  # noqa: S603  # a program of our own environment
            [postgres, "--version"], capture_output=True, text=True, check=True, timeout=SECONDS
        ).stdout.strip()
    except (Misconfigured, OSError, subprocess.SubprocessError) as error:
        remedy = "set DATABASE_URL to a Postgres server of your own"
        return Check(name="database", is_ok=False, found=str(error), remedy=remedy)
    return Check(name="database", is_ok=True, found=f"our own {shown}")


async def check_temporal(settings: Settings) -> list[Check]:
    """The server, one line for each source in the order of trying, and the UI."""
    if settings.temporal_address is not None:
        return [await _given_temporal(settings, settings.temporal_address)]
    cache = settings.cache_dir.expanduser()
    found: list[ServerBinary] = []
    reasons: dict[str, str] = {}
    for source in SOURCES:
        try:
            found.append(await source.find(cache))
            reasons[source.name] = f"server {found[-1].version}, {found[-1].path}"
        except NotHere as reason:
            reasons[source.name] = f"no: {reason}"
    sources = [Check(name=f"  {name}", is_ok=True, found=text) for name, text in reasons.items()]
    if found:
        used = f"server {found[0].version}, {found[0].origin}"
        return [Check(name="temporal", is_ok=True, found=used), *sources, _ui(cache, found[0])]
    return [await _can_be_fetched(), *sources]


async def _can_be_fetched() -> Check:
    refusals = []
    for source in SOURCES:
        if source.check is None:
            continue
        try:
            await source.check()
        except NotHere as reason:
            refusals.append(f"{source.name}: {reason}")
            continue
        remedy = f"the first `drumbeat up` gets it ({source.name})"
        return Check(name="temporal", is_ok=True, found="not there yet", remedy=remedy)
    remedy = "install the Temporal CLI 1.9 or later, or Go, or set TEMPORAL_ADDRESS"
    found = f"not there, and not to be had; {'; '.join(refusals)}"
    return Check(name="temporal", is_ok=False, found=found, remedy=remedy)


def _ui(cache: Path, binary: ServerBinary) -> Check:
    name, path = "temporal ui", temporal_build.UI.path(cache)
    if binary.kind is Kind.CLI:
        return Check(name=name, is_ok=True, found="part of the Temporal CLI")
    if path.exists():
        return Check(name=name, is_ok=True, found=f"{temporal_build.UI.version}, {path}")
    remedy = f"the next `drumbeat up` builds it ({temporal_build.UI.usual}, once)"
    return Check(name=name, is_ok=True, found="not there yet", remedy=remedy)


async def _given_temporal(settings: Settings, address: str) -> Check:
    key, namespace = settings.temporal_api_key, settings.temporal_namespace
    secret = key.get_secret_value() if key else None
    try:
        async with asyncio.timeout(SECONDS):
            client = await Client.connect(
                address, namespace=namespace, api_key=secret, tls=secret is not None
            )
            missing = await missing_attributes(client, namespace)
    except (RPCError, RuntimeError, TimeoutError) as error:
        found = f"{address}, namespace {namespace}: {error or 'no answer'}"
        remedy = "start it, correct TEMPORAL_ADDRESS or TEMPORAL_NAMESPACE, or leave both away"
        return Check(name="temporal", is_ok=False, found=found, remedy=remedy)
    if missing:
        found = f"{address} has no search attribute {', '.join(missing)}"
        remedy = "temporal operator search-attribute create --type Keyword --name NAME, for each"
        return Check(name="temporal", is_ok=False, found=found, remedy=remedy)
    return Check(name="temporal", is_ok=True, found=f"{address}, namespace {namespace}")
