"""`drumbeat demo`: a campaign from the first mail to the last answer, in front of your eyes."""

import asyncio
import contextlib
import json
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.demo.audit import Report, make_report
from deploy.demo.gateway import Gateway
from deploy.demo.play import compare, perform, set_up
from deploy.demo.screen import Screen
from deploy.demo.script import SELLER, STEPS, make_leads
from deploy.local.lock import FileLock
from deploy.local.ports import free_port
from deploy.local.reading import read_settings
from deploy.local.running import run_until_stopped
from deploy.local.stack import LocalStack
from deploy.sandbox.behaviour import Behaviour, cast_people
from deploy.sandbox.emulator import GoogleEmulator, OAuthClient, Seed
from deploy.sandbox.mailbox import Mailbox
from deploy.sandbox.people import People
from shared.config import Settings
from shared.errors import Unavailable

# What a demo never takes from the surroundings: it must not write into anybody's real data.
OWN = {
    "database_url": None,
    "migration_database_url": None,
    "temporal_address": None,
    "temporal_api_key": None,
    "temporal_namespace": "default",
    "public_url": None,
    "host": "127.0.0.1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was asked for on the command line."""

    leads: int
    seed: int
    keep: bool
    stay: bool
    json: bool


def run(
    leads: Annotated[int, typer.Option(min=1, help="How many people are written to.")] = 40,
    seed: Annotated[int, typer.Option(help="Who they are and what they answer.")] = 7,
    is_kept: Annotated[bool, typer.Option("--keep", help="Keep the last demo's data.")] = False,
    is_stay: Annotated[bool, typer.Option("--stay", help="Keep running afterwards.")] = False,
    is_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Play a campaign of three mails against people who answer, and check what was done.

    Everything runs on this machine, with data of its own; no mail leaves it. Each recipient counts
    once in replied, bounced, unsubscribed or finished. The exit code is 1 when a mail was sent
    twice, lost, or sent after a stop was known.

    Example: drumbeat demo --json
    """
    wishes = Wishes(leads=leads, seed=seed, keep=is_kept, stay=is_stay, json=is_json)
    raise typer.Exit(run_until_stopped(_demo(wishes, read_settings())))


async def _demo(wishes: Wishes, settings: Settings) -> int:
    folder = settings.data_dir.absolute() / "demo"
    with FileLock(folder.with_name("demo.lock")):
        if not wishes.keep:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        own = settings.model_copy(update={**OWN, "data_dir": folder, "port": free_port()})
        google = _google(own, folder / "logs" / "google.log")
        screen = Screen(Console(stderr=wishes.json, highlight=False))
        environment = _environment(own, google)
        async with google, LocalStack(own, environment=environment, say=screen.say) as stack:
            if stack.gateway_url != _gateway_url(own):
                raise Unavailable(f"port {own.port} was taken just now: start the demo again")
            report = await _perform(wishes, google, _gateway_url(own), screen)
            if wishes.json:
                typer.echo(_as_json(report))
            if wishes.stay:
                await _stay(screen, stack)
    return 0 if report.is_clean else 1


async def _perform(wishes: Wishes, google: GoogleEmulator, url: str, screen: Screen) -> Report:
    leads = make_leads(wishes.leads, seed=wishes.seed)
    addresses = [lead.email for lead in leads]
    cast = cast_people(addresses, seed=wishes.seed, behaviour=Behaviour(last_mail=len(STEPS)))
    async with Gateway(url) as gateway, await Mailbox.open(google, SELLER.email) as mailbox:
        people = People(mailbox, cast)
        campaign = await set_up(gateway, leads, screen)
        seconds = await perform(gateway, campaign, people, screen)
        courses = await compare(gateway, campaign, people)
    report = make_report(courses, steps=len(STEPS), seconds=seconds)
    screen.conclude(courses, report)
    return report


def _google(own: Settings, log: Path) -> GoogleEmulator:
    client = OAuthClient(
        client_id="drumbeat-demo",
        client_secret=secrets.token_urlsafe(16),
        redirect_uris=(f"{_gateway_url(own)}/email/callback/",),
    )
    return GoogleEmulator(Seed(users=(SELLER,), client=client), log=log, cache=own.cache_dir)


def _environment(own: Settings, google: GoogleEmulator) -> dict[str, str]:
    return google.environment() | {
        "DRUMBEAT_PUBLIC_URL": _gateway_url(own),
        "DRUMBEAT_INBOX_POLL_SECONDS": "1",
    }


def _gateway_url(own: Settings) -> str:
    return f"http://{own.host}:{own.port}"


async def _stay(screen: Screen, stack: LocalStack) -> None:
    screen.say(f"\nAPI       {stack.gateway_url}/docs\nTemporal  {stack.temporal_ui_url}")
    screen.say("Everything keeps running until you press Ctrl-C.")
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


def _as_json(report: Report) -> str:
    figures = asdict(report)
    del figures["remarks"]
    return json.dumps(figures)
