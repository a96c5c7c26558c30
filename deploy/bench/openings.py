"""What many open recipients cost: memory, disk, and the patience of everybody else.

Some have had their first mail and wait for the second; the others wait for their first.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median, quantiles
from time import perf_counter
from uuid import UUID

from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from api.tokens import AccessTokens
from deploy.bench.asking import Page
from deploy.bench.gateway import Keys, serving_gateway
from deploy.bench.launches import A_MONTH, launch, serving
from deploy.bench.memory import database_bytes, file_bytes, resident_bytes
from deploy.bench.result import BenchResult
from deploy.bench.servers import Servers, running_servers
from deploy.bench.world import BenchCompany
from shared.contracts.inbound import InboundEvent
from shared.contracts.operations import LaunchOrder
from shared.contracts.queues import Queue
from shared.contracts.recipient import RecipientRef
from shared.db.models import ActionRow, RecipientRow
from shared.db.models.recipients import ActionStatus
from shared.domain.inbound import InboundKind
from shared.inbound import receive_inbound
from workflows.client import TemporalConductor

LONGEST_SECONDS = 7_200
CONNECTIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSize:
    """`few` are the baseline. `begun` of each have had their first mail, one in so many."""

    recipients: int = 100_000
    few: int = 1_000
    begun: int = 20
    replies: int = 100
    seconds: float = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How it stands: seconds of p95 and of a reply, and bytes."""

    p95: float
    reply: float
    memory: int
    file: int
    database: int


async def bench_open(size: OpenSize, say: Callable[[str], None]) -> BenchResult:
    """Milliseconds of the gateway and of a reply, with many open recipients and with few."""
    started, keys = perf_counter(), Keys()
    async with running_servers() as servers, asyncio.timeout(LONGEST_SECONDS):
        company = await BenchCompany.make(servers.database, keyring=keys.keyring())
        crowd = _Crowd(servers, company, keys, size)
        say(f"{size.few} recipients are opened")
        await crowd.open(size.few)
        few = await crowd.look()
        say(f"{size.recipients - size.few} more are opened")
        begun = perf_counter()
        await crowd.open(size.recipients - size.few)
        opening = perf_counter() - begun
        many = await crowd.look()
    return _result(size, few, many, opening=opening, seconds=perf_counter() - started)


def _result(
    size: OpenSize, few: _Look, many: _Look, *, opening: float, seconds: float
) -> BenchResult:
    more = size.recipients - size.few
    return BenchResult(
        name="open",
        ours=many.p95 * 1_000,
        baseline=few.p95 * 1_000,
        unit="ms",
        seconds=seconds,
        more={
            "recipients": size.recipients,
            "reply_ms": many.reply * 1_000,
            "baseline_reply_ms": few.reply * 1_000,
            "reply_ratio": many.reply / few.reply,
            "opened_per_second": more / opening,
            "temporal_mib": many.memory / 2**20,
            "temporal_kib_per_recipient": (many.memory - few.memory) / more / 2**10,
            "temporal_file_kib_per_recipient": (many.file - few.file) / more / 2**10,
            "database_kib_per_recipient": (many.database - few.database) / more / 2**10,
        },
    )


class _Crowd:
    """The company's open recipients, and those who ask about them."""

    def __init__(self, servers: Servers, company: BenchCompany, keys: Keys, size: OpenSize) -> None:
        self._servers, self._company, self._keys, self._size = servers, company, keys, size
        self._dice = random.Random(1)  # noqa: S311 - a sample, not a secret
        self._campaigns: list[UUID] = []

    async def open(self, number: int) -> None:
        """Launch so many, and have the first mails sent that are due."""
        begun = number // self._size.begun
        sent = await self._count_sent()
        queues = (Queue.OPS, Queue.RECIPIENT, Queue.GMAIL)
        servers, company = self._servers, self._company
        async with serving(servers.client, servers.database, company, queues=queues) as conductor:
            for waits, share in (((A_MONTH,), number - begun), ((0, A_MONTH), begun)):
                campaign_id = await company.make_campaign(waits, share)
                self._campaigns.append(campaign_id)
                order = LaunchOrder(company_id=company.id, campaign_id=campaign_id)
                await launch(servers.client, conductor, order)
            while await self._count_sent() < sent + begun:  # noqa: ASYNC110 - the rows tell nobody
                await asyncio.sleep(0.2)

    async def look(self) -> _Look:
        replies = await self._reply()
        return _Look(
            p95=await self._ask(),
            reply=median(replies),
            memory=resident_bytes(self._servers.temporal.folder),
            file=file_bytes(self._servers.temporal.folder),
            database=await database_bytes(self._servers),
        )

    async def _ask(self) -> float:
        """The gateway's p95 over the pages that people look at most."""
        servers = self._servers
        token = AccessTokens(self._keys.keyring()).issue(self._company.user_id, None)
        paths = ("/api/campaigns", f"/api/campaigns/{self._campaigns[-1]}/recipients?limit=50")
        waits: list[float] = []
        async with serving_gateway(
            servers.postgres, servers.temporal, self._keys, servers.folder
        ) as port:
            for path in paths:
                page = Page(port=port, path=path, token=token)
                await page.ask(seconds=min(1, self._size.seconds), connections=CONNECTIONS)
                found = await page.ask(seconds=self._size.seconds, connections=CONNECTIONS)
                waits.extend(found.waits)
        return quantiles(waits, n=20)[-1]

    async def _reply(self) -> Sequence[float]:
        """Seconds from a reply that comes in until its workflow has ended."""
        servers, company = self._servers, self._company
        async with serving(
            servers.client, servers.database, company, queues=[Queue.RECIPIENT]
        ) as conductor:
            refs = await self._sample(self._size.replies + 5)
            waits = [await self._reply_once(conductor, ref) for ref in refs]
        return waits[5:]

    async def _reply_once(self, conductor: TemporalConductor, ref: RecipientRef) -> float:
        event = InboundEvent(
            company_id=ref.company_id,
            account_id=self._company.account_id,
            provider="bench",
            provider_event_id=str(uuid7()),
            kind=InboundKind.REPLY,
            occurred_at=datetime.now(UTC),
            recipient_id=ref.recipient_id,
        )
        begun = perf_counter()
        await receive_inbound(self._servers.database, self._company.keyring, conductor, event)
        await conductor.recipient(ref).result()
        return perf_counter() - begun

    async def _sample(self, number: int) -> list[RecipientRef]:
        """Open ones, from all campaigns."""
        query = select(RecipientRow.id, RecipientRow.campaign_id).where(
            RecipientRow.ended_at.is_(None)
        )
        async with self._servers.database.company_session(self._company.id) as session:
            rows = (await session.execute(query.order_by(RecipientRow.id))).all()
        return [
            RecipientRef(
                company_id=self._company.id, campaign_id=row.campaign_id, recipient_id=row.id
            )
            for row in self._dice.sample(list(rows), min(number, len(rows)))
        ]

    async def _count_sent(self) -> int:
        query = select(func.count()).select_from(ActionRow)
        async with self._servers.database.company_session(self._company.id) as session:
            return await session.scalar(query.where(ActionRow.status == ActionStatus.SENT)) or 0
