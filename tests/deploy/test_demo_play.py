"""The demo watches a campaign to its end, and a system that misbehaves is found out."""

import asyncio
import io
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from deploy.demo.audit import Report, make_report
from deploy.demo.gateway import Gateway
from deploy.demo.play import Campaign, World, compare, perform
from deploy.demo.screen import Screen
from deploy.demo.script import SELLER, make_leads
from deploy.sandbox.behaviour import Behaviour, cast_people
from deploy.sandbox.emulator import GoogleEmulator, OAuthClient, Seed
from deploy.sandbox.mailbox import Mailbox
from deploy.sandbox.people import People
from shared.config import Settings

SEED = Seed(
    users=(SELLER,),
    client=OAuthClient(client_id="a", client_secret="b", redirect_uris=("http://127.0.0.1:9/",)),
)
STEPS = 2
# Of the ten leads; whoever answers does so to the first mail.
ANSWERS = 5
LEADS = {f"lead-{lead.email}": lead for lead in make_leads(10, seed=4)}


class Sequencer:
    """The simplest thing that could pass for Drumbeat: its flaws are switches."""

    def __init__(self, google: GoogleEmulator, mailbox: Mailbox) -> None:
        self.sends_twice = self.is_deaf = False
        self.rows: dict[str, dict[str, Any]] = {
            lead_id: {"id": lead_id, "contact_id": lead_id, "status": "in_progress"}
            for lead_id in LEADS
        }
        self.actions: dict[str, list[dict[str, Any]]] = {lead_id: [] for lead_id in LEADS}
        self._mailbox = mailbox
        self._http = httpx.AsyncClient(base_url=google.url, headers={"Authorization": "Bearer a"})
        self._work: asyncio.Task[None] | None = None

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/activate"):
            self._work = asyncio.create_task(self._run())
            return httpx.Response(200, json={})
        if request.url.path.endswith("/recipients"):
            return httpx.Response(200, json=list(self.rows.values()))
        return httpx.Response(200, json=self.actions[request.url.path.split("/")[-2]])

    async def close(self) -> None:
        if self._work is not None:
            await self._work
        await self._http.aclose()

    async def _run(self) -> None:
        for step in range(1, STEPS + 1):
            for lead_id, row in self.rows.items():
                if row["status"] == "in_progress":
                    await self._send(lead_id, step)
            await self._hear()
        for row in self.rows.values():
            if row["status"] == "in_progress":
                row |= {"status": "completed", "detail": "completed", "ended_at": _now()}

    async def _send(self, lead_id: str, step: int) -> None:
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = SELLER.email, LEADS[lead_id].email
        mail["Subject"], mail["X-Drumbeat-Key"] = "Hello", f"{lead_id}-{step}"
        mail.set_content(f"Mail {step}")
        raw = {"raw": urlsafe_b64encode(mail.as_bytes()).decode()}
        for _ in range(2 if self.sends_twice and step == 1 else 1):
            (await self._http.post("/gmail/v1/users/me/messages/send", json=raw)).raise_for_status()
        done = {"status": "sent", "executed_at": _now(), "confirmed_at": _now()}
        self.actions[lead_id].append({"sequence_id": str(step), **done})

    async def _hear(self) -> None:
        async with asyncio.timeout(60):
            while len(heard := await self._mailbox.list_ids("INBOX")) < ANSWERS:  # noqa: ASYNC110 - a mailbox tells nobody
                await asyncio.sleep(0.1)
        if self.is_deaf:
            return
        for message_id in heard:
            mail = (await self._mailbox.read(message_id)).received
            for lead_id, lead in LEADS.items():
                if lead.email in {mail.sender, mail.mail.get("X-Failed-Recipients")}:
                    self._end(lead_id, mail.mail, mail.text())

    def _end(self, lead_id: str, mail: EmailMessage, text: str) -> None:
        end, status = "replied", "responded"
        if "X-Failed-Recipients" in mail:
            end, status = "bounced", "failed"
        elif "Auto-Submitted" in mail:
            return
        elif "unsubscribe" in text:
            end, status = "unsubscribed", "completed"
        self.rows[lead_id] |= {"status": status, "detail": end, "ended_at": _now()}


def _now() -> str:
    return datetime.now(UTC).isoformat()


@asynccontextmanager
async def _sequencer(folder: Path) -> AsyncIterator[tuple[Sequencer, People]]:
    log = folder / "google.log"
    async with (
        GoogleEmulator(SEED, log=log, cache=Settings().cache_dir) as google,
        await Mailbox.open(google, SELLER.email) as mailbox,
    ):
        behaviour = Behaviour(last_mail=1, thinks_seconds=(0, 0.1))
        addresses = [lead.email for lead in LEADS.values()]
        sequencer = Sequencer(google, mailbox)
        yield sequencer, People(mailbox, cast_people(addresses, seed=4, behaviour=behaviour))
        await sequencer.close()


async def _report(sequencer: Sequencer, people: People, output: io.StringIO) -> Report:
    transport = httpx.MockTransport(sequencer.handle)
    campaigns, screen = [Campaign(id="c", leads=LEADS)], Screen(Console(file=output, width=200))
    world = World(people=people)
    async with Gateway("http://us", transport=transport) as gateway:
        seconds = await perform(gateway, campaigns, world, screen)
        courses = await compare(gateway, campaigns, world)
    report = make_report(courses, steps=STEPS, seconds=seconds)
    screen.conclude(courses, report)
    return report


async def test_an_honest_campaign_ends_by_itself_and_is_clean(tmp_path: Path) -> None:
    output = io.StringIO()
    async with _sequencer(tmp_path) as (sequencer, people):
        report = await _report(sequencer, people, output)
    assert report.is_clean, report.remarks
    assert (report.recipients, report.replied, report.bounced) == (10, 2, 1)
    assert (report.unsubscribed, report.auto_replies, report.finished) == (1, 1, 6)
    assert report.sent == 4 * 1 + 6 * 2
    shown = output.getvalue()
    assert "does not exist: the mail bounced" in shown
    assert "0 sent twice, 0 lost, 0 sent after a stop was known" in shown
    assert all(lead.name in shown for lead in LEADS.values())


async def test_a_campaign_that_sends_twice_is_found_out(tmp_path: Path) -> None:
    async with _sequencer(tmp_path) as (sequencer, people):
        sequencer.sends_twice = True
        report = await _report(sequencer, people, io.StringIO())
    assert (report.duplicates, report.lost) == (10, 0)
    assert not report.is_clean


async def test_a_campaign_that_hears_nothing_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.demo.play.SETTLE_SECONDS", 1)
    async with _sequencer(tmp_path) as (sequencer, people):
        sequencer.is_deaf = True
        report = await _report(sequencer, people, io.StringIO())
    assert len(report.remarks) == 4
    assert not report.is_clean
