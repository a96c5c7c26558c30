"""How much of a bare workflow's speed is left when mails go out once, from two mailboxes.

Both make the same calls to the same emulator of Google, in turns, and on the same durable servers.
What differs is what it takes to do it once: the three transactions of a step and the decision.
"""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from uuid import UUID

import httpx
from temporalio.client import Client
from temporalio.worker import Worker
from uuid_utils.compat import uuid7

from deploy.bench.bare_mail import BareMailActivities, BareMails, BareMailWorkflow
from deploy.bench.result import BenchResult, WentWrong
from deploy.bench.sandbox_mail import SandboxMailboxes, check_mails
from deploy.bench.world import BenchCompany
from deploy.local.migrate import migrate_meanwhile
from deploy.local.postgres import running_postgres
from deploy.local.temporal import running_temporal
from deploy.sandbox.emulator import GoogleEmulator, GoogleUser, OAuthClient, Seed
from shared.config import Settings
from shared.contracts.queues import Queue
from shared.contracts.recipient import RecipientRef
from shared.db.session import Database, make_engine
from shared.launching import launch_page
from workflows.client import TemporalConductor, connect_temporal
from workflows.parts import make_parts
from workflows.worker import Limits, make_worker, sandbox

BARE_QUEUE = "bare-mails"
MAILBOXES = ("north@bench.test", "south@bench.test")
CALL_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSize:
    """`recipients` of each of the two, spread over the rounds; each gets a mail for each wait."""

    recipients: int = 2_000
    waits: tuple[int, ...] = (0, 1, 1)
    rounds: int = 2

    @property
    def a_round(self) -> int:
        return max(1, self.recipients // self.rounds)


async def bench_send(size: SendSize, say: Callable[[str], None]) -> BenchResult:
    """Mails a second of both. Raises WentWrong when one of ours is not where it belongs."""
    started = perf_counter()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drumbeat-bench-")))
        google = await stack.enter_async_context(_google(folder / "google.log"))
        postgres = await stack.enter_async_context(running_postgres(folder / "postgres"))
        await migrate_meanwhile(postgres.owner_url)
        temporal = await stack.enter_async_context(running_temporal(folder / "temporal"))
        engine = make_engine(postgres.app_url)
        stack.push_async_callback(engine.dispose)
        http = await stack.enter_async_context(
            httpx.AsyncClient(timeout=CALL_SECONDS, trust_env=False)
        )
        mailboxes = SandboxMailboxes(http, google, MAILBOXES)
        client = await connect_temporal(temporal.address)
        runs = _Runs(client, Database(engine), http, google, mailboxes)
        await runs.bare(5, size.waits)
        await runs.ours(5, size.waits)
        ours = bare = 0.0
        for number in range(1, size.rounds + 1):
            say(f"round {number} of {size.rounds}: {size.a_round} recipients, bare workflows")
            bare += await runs.bare(size.a_round, size.waits)
            say(f"round {number} of {size.rounds}: {size.a_round} recipients, Drumbeat")
            ours += await runs.ours(size.a_round, size.waits)
    mails = size.a_round * size.rounds * len(size.waits)
    return BenchResult(
        name="send",
        ours=mails / ours,
        baseline=mails / bare,
        unit="mails/s",
        seconds=perf_counter() - started,
        more={"mails_checked": runs.checked},
    )


class _Runs:
    """`checked`: mails of ours that were looked up in the mailboxes, all but the first few."""

    def __init__(
        self,
        client: Client,
        database: Database,
        http: httpx.AsyncClient,
        google: GoogleEmulator,
        mailboxes: SandboxMailboxes,
    ) -> None:
        self._client, self._database, self._http = client, database, http
        self._google, self._mailboxes = google, mailboxes
        self.checked = 0

    async def bare(self, recipients: int, waits: tuple[int, ...]) -> float:
        """The seconds that it took."""
        worker = Worker(
            self._client,
            task_queue=BARE_QUEUE,
            workflows=[BareMailWorkflow],
            activities=[BareMailActivities(self._mailboxes.clients).send],
            workflow_runner=sandbox(),
            max_concurrent_activities=Limits().activities,
            max_concurrent_workflow_tasks=Limits().workflow_tasks,
        )
        gate, domain = asyncio.Semaphore(20), f"{uuid7().hex[-12:]}.bare.test"

        async def run_one(number: int) -> None:
            start = BareMails(
                mailbox=MAILBOXES[number % len(MAILBOXES)],
                to=f"lead-{number}@{domain}",
                waits=waits,
            )
            async with gate:
                handle = await self._client.start_workflow(
                    BareMailWorkflow.run, start, id=f"bare/{uuid7()}", task_queue=BARE_QUEUE
                )
            await handle.result()

        async with worker:
            begun = perf_counter()
            async with asyncio.TaskGroup() as group:
                for number in range(recipients):
                    group.create_task(run_one(number))
            return perf_counter() - begun

    async def ours(self, recipients: int, waits: tuple[int, ...]) -> float:
        """The same for a campaign; its mails are looked up afterwards."""
        company = await BenchCompany.make(self._database, mailboxes=MAILBOXES)
        campaign_id = await company.make_campaign(waits, recipients)
        prefix = f"bench-{uuid7()}/"
        conductor = TemporalConductor(self._client, prefix=prefix)
        parts = make_parts(
            database=self._database,
            keyring=company.keyring,
            conductor=conductor,
            http=self._http,
            token_source_of=lambda account: self._mailboxes.tokens[
                company.accounts[account.account_id]
            ],
            gmail_endpoint=self._google.url,
            poll_seconds=60,
        )
        async with AsyncExitStack() as stack:
            for queue in (Queue.RECIPIENT, Queue.GMAIL):
                worker = make_worker(self._client, queue, parts, prefix=prefix)
                await stack.enter_async_context(worker)
            begun = perf_counter()
            await self._run_campaign(company.id, campaign_id, conductor)
            seconds = perf_counter() - begun
        found = await check_mails(
            self._database, company.id, company.accounts, self._mailboxes, steps=len(waits)
        )
        if found != recipients * len(waits):
            raise WentWrong(f"{recipients * len(waits)} mails were due, {found} were sent")
        self.checked += found
        return seconds

    async def _run_campaign(
        self, company_id: UUID, campaign_id: UUID, conductor: TemporalConductor
    ) -> None:
        page = (self._database, conductor, company_id, campaign_id)
        while not (await launch_page(*page)).is_last:
            pass
        async with asyncio.TaskGroup() as group:
            for id_ in await BenchCompany.recipients(self._database, company_id):
                ref = RecipientRef(company_id=company_id, campaign_id=campaign_id, recipient_id=id_)
                group.create_task(conductor.recipient(ref).result())


def _google(log: Path) -> GoogleEmulator:
    users = tuple(GoogleUser(email=address, name=address) for address in MAILBOXES)
    client = OAuthClient(
        client_id="drumbeat-bench",
        client_secret="only-on-this-machine",  # noqa: S106 - of an emulator that is thrown away
        redirect_uris=("http://127.0.0.1/callback",),
    )
    seed = Seed(users=users, client=client)
    return GoogleEmulator(seed, log=log, cache=Settings().cache_dir.expanduser())
