"""`drumbeat demo`: a campaign from the first mail to the last answer, in front of your eyes."""

import asyncio
import contextlib
import json
import secrets
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.demo.audit import Report, make_report
from deploy.demo.gateway import Gateway
from deploy.demo.hands import Hands
from deploy.demo.phones import MOST_PHONES, Phones, cast_callees, find_exchange, with_phones
from deploy.demo.play import World, compare, perform, set_up
from deploy.demo.screen import Screen
from deploy.demo.script import SELLER, STEPS, Lead, make_leads
from deploy.local.lock import FileLock
from deploy.local.ports import free_port
from deploy.local.reading import read_settings
from deploy.local.running import run_until_stopped
from deploy.local.stack import LocalStack
from deploy.sandbox.behaviour import Answer, Behaviour, Person, cast_people
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """`phones` None: there is no place in the world where it is a good time for a call."""

    leads: list[Lead]
    cast: dict[str, Person]
    phones: Phones | None
    seed: int

    def environment(self) -> dict[str, str]:
        return self.phones.environment() if self.phones else {}

    def listening(self) -> contextlib.AbstractAsyncContextManager[None]:
        return self.phones.listening() if self.phones else contextlib.nullcontext()


def run(
    leads: Annotated[int, typer.Option(min=1, help="How many people are written to.")] = 40,
    seed: Annotated[int, typer.Option(help="Who they are and what they answer.")] = 7,
    is_kept: Annotated[bool, typer.Option("--keep", help="Keep the last demo's data.")] = False,
    is_stay: Annotated[bool, typer.Option("--stay", help="Keep running afterwards.")] = False,
    is_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Play two campaigns against people who answer, and check what was done.

    One has three mails; in the other a mail is followed by an invitation on LinkedIn, which a
    person does by hand, by a call and by another mail. Everything runs on this machine, with data
    of its own; no mail leaves it, and no phone rings. Each recipient counts once in replied,
    bounced, unsubscribed or finished. The exit code is 1 when anything was done twice, was lost,
    or was done after a stop was known.

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
        play = _cast(wishes)
        environment = _environment(own, google) | play.environment()
        async with (
            google,
            play.listening(),
            LocalStack(own, environment=environment, say=screen.say) as stack,
        ):
            if stack.gateway_url != _gateway_url(own):
                raise Unavailable(f"port {own.port} was taken just now: start the demo again")
            report = await _perform(play, google, _gateway_url(own), screen)
            if wishes.json:
                typer.echo(_as_json(report))
            if wishes.stay:
                await _stay(screen, stack)
    return 0 if report.is_clean else 1


def _cast(wishes: Wishes) -> Play:
    """Who there is, and what everybody will do. One in three has a phone, if it may ring now."""
    leads = make_leads(wishes.leads, seed=wishes.seed)
    exchange = find_exchange(datetime.now(UTC))
    count = min(MOST_PHONES, len(leads) // 3) if exchange else 0
    called = with_phones(leads[:count], exchange) if exchange else []
    behaviour = Behaviour(last_mail=len(STEPS))
    rest = leads[count:]
    cast = cast_people([it.email for it in rest], seed=wishes.seed, behaviour=behaviour)
    # Their campaign has two mails.
    writers = Behaviour(reply=0.2, bounce=0, unsubscribe=0, out_of_office=0, last_mail=2)
    cast |= cast_people([it.email for it in called], seed=wishes.seed, behaviour=writers)
    phones = None
    if called:
        outspoken = {address: who.answer is not Answer.SILENT for address, who in cast.items()}
        phones = Phones(cast_callees(called, seed=wishes.seed, outspoken=outspoken))
    return Play(leads=[*rest, *called], cast=cast, phones=phones, seed=wishes.seed)


async def _perform(play: Play, google: GoogleEmulator, url: str, screen: Screen) -> Report:
    async with Gateway(url) as gateway, await Mailbox.open(google, SELLER.email) as mailbox:
        hands = Hands(gateway, seed=play.seed) if play.phones else None
        world = World(people=People(mailbox, play.cast), phones=play.phones, hands=hands)
        campaigns = await set_up(gateway, play.leads, screen, phones=play.phones)
        seconds = await perform(gateway, campaigns, world, screen)
        courses = await compare(gateway, campaigns, world)
    breaches = play.phones.breaches if play.phones else ()
    remarks = [f"the real Bland would not have taken this: {breach}" for breach in breaches]
    report = make_report(courses, steps=len(STEPS), seconds=seconds, remarks=remarks)
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
