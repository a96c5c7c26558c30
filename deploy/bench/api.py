"""How fast the list of campaigns is beside a bare route, and whether it stays so when they grow.

Both routes are served by one process and asked in turns by another, so that a slow minute meets
both. Nothing is cached: every request looks who asks, and reads the counters.
"""

import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import create_async_engine
from uuid_utils.compat import uuid7

from api.tokens import AccessTokens
from deploy.bench.asking import Answers, Page
from deploy.bench.gateway import Keys, serving_gateway
from deploy.bench.listing_server import BARE_PATH, ROWS
from deploy.bench.result import BenchResult
from deploy.local.migrate import migrate_meanwhile
from deploy.local.postgres import Postgres, running_postgres
from deploy.local.temporal import running_temporal
from shared.db.models import CampaignRow, CompanyRow, MembershipRow, Role, UserRow
from shared.db.models.campaigns import CampaignStatus, CampaignType
from shared.db.session import Database, make_engine

FEW = 10
PATIENCE_SECONDS = 60

_LEADS = text("""
insert into leads (email, first_name, suppression_keys)
select 'lead-' || n || '@bench.test', 'Lead ' || n, '{}' from generate_series(1, :number) n
""")
_RECIPIENTS = text("""
insert into recipients (campaign_id, lead_id) select :campaign_id, id from leads limit :number
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSize:
    """`large`: how many of the second company's 50 campaigns have `recipients` each."""

    recipients: int = 100_000
    large: int = 5
    rounds: int = 3
    seconds: float = 3


async def bench_api(size: ApiSize, say: Callable[[str], None]) -> BenchResult:
    """Requests a second of both routes, and the list's p95 for few and for many recipients."""
    started, keys = perf_counter(), Keys()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drumbeat-bench-")))
        postgres = await stack.enter_async_context(running_postgres(folder / "postgres"))
        await migrate_meanwhile(postgres.owner_url)
        temporal = await stack.enter_async_context(running_temporal(folder / "temporal"))
        engine = make_engine(postgres.app_url)
        stack.push_async_callback(engine.dispose)
        say(
            f"filling two companies: {ROWS} campaigns with {FEW} recipients each, and the same"
            f" with {size.recipients} in {size.large} of them"
        )
        few = await _make_company(Database(engine), keys, large=0, recipients=0)
        many = await _make_company(
            Database(engine), keys, large=size.large, recipients=size.recipients
        )
        await _analyze(postgres)
        port = await stack.enter_async_context(serving_gateway(postgres, temporal, keys, folder))
        pages = {
            name: Page(port=port, path="/api/campaigns", token=token)
            for name, token in (("few", few), ("many", many))
        }
        await _make_rows(postgres, length=len(await pages["few"].read()))
        pages["bare"] = Page(port=port, path=BARE_PATH)
        answers = await _take_turns(pages, size, say)
        calm = await _take_calm_turns({"few": pages["few"], "many": pages["many"]}, size)
    return _result(answers, calm, seconds=perf_counter() - started)


def _result(
    answers: dict[str, list[Answers]], calm: dict[str, list[Answers]], *, seconds: float
) -> BenchResult:
    rate = {name: sum(a.rate for a in those) / len(those) for name, those in answers.items()}
    p95 = {name: median(a.p95_seconds for a in those) for name, those in calm.items()}
    return BenchResult(
        name="api",
        ours=rate["few"],
        baseline=rate["bare"],
        unit="requests/s",
        seconds=seconds,
        more={
            "p95_few_ms": p95["few"] * 1_000,
            "p95_many_ms": p95["many"] * 1_000,
            "p95_growth": p95["many"] / p95["few"],
            "many_requests_per_second": rate["many"],
        },
    )


async def _take_turns(
    pages: dict[str, Page], size: ApiSize, say: Callable[[str], None]
) -> dict[str, list[Answers]]:
    for page in pages.values():
        await page.ask(seconds=min(1, size.seconds))
    answers: dict[str, list[Answers]] = {name: [] for name in pages}
    for number in range(1, size.rounds + 1):
        say(f"round {number} of {size.rounds}")
        for name, page in pages.items():
            answers[name].append(await page.ask(seconds=size.seconds))
    return answers


async def _take_calm_turns(pages: dict[str, Page], size: ApiSize) -> dict[str, list[Answers]]:
    """Short turns with two connections: in a queue of eight p95 says more about the queue."""
    answers: dict[str, list[Answers]] = {name: [] for name in pages}
    for _ in range(size.rounds * 4):
        for name, page in pages.items():
            answers[name].append(await page.ask(seconds=size.seconds / 4, connections=2))
    return answers


async def _make_company(database: Database, keys: Keys, *, large: int, recipients: int) -> str:
    """A company of 50 campaigns; returns an admin's token, as a log-in gives it."""
    company_id, user_id = uuid7(), uuid7()
    async with database.outside_session() as session:
        email = f"{user_id}@bench.test"
        session.add(UserRow(id=user_id, email=email, name="Bench", password_hash="-"))  # noqa: S106 - nobody logs in
    campaigns = [
        {
            "id": uuid7(),
            "name": f"Campaign {number}",
            "type": CampaignType.EMAIL,
            "status": CampaignStatus.DRAFT,
            "created_by": user_id,
        }
        for number in range(ROWS)
    ]
    async with database.company_session(company_id) as session:
        session.add(CompanyRow(id=company_id, name="Bench"))
        await session.flush()
        session.add(MembershipRow(user_id=user_id, role=Role.ADMIN))
        await session.execute(insert(CampaignRow), campaigns)
        await session.execute(_LEADS, {"number": max(recipients, FEW)})
    for number, campaign in enumerate(campaigns):
        wanted = recipients if number < large else FEW
        async with database.company_session(company_id) as session:
            values = {"campaign_id": campaign["id"], "number": wanted}
            await session.execute(_RECIPIENTS, values)
    return AccessTokens(keys.keyring()).issue(user_id, None)


async def _analyze(postgres: Postgres) -> None:
    """As autovacuum would have done it by the time that somebody asks."""
    engine = create_async_engine(postgres.owner_url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text("vacuum analyze"))
    await engine.dispose()


async def _make_rows(postgres: Postgres, *, length: int) -> None:
    """What the bare route reads, so long that its body has the length of ours."""
    note = "x" * max(1, length // ROWS - len('{"id":10,"name":"Campaign 10","note":""},'))
    engine = create_async_engine(postgres.owner_url)
    async with engine.begin() as connection:
        await connection.execute(
            text("create table bench_rows (id int primary key, name text, note text)")
        )
        await connection.execute(text("grant select on bench_rows to drumbeat_app"))
        rows = [{"id": n, "name": f"Campaign {n}", "note": note} for n in range(1, ROWS + 1)]
        await connection.execute(text("insert into bench_rows values (:id, :name, :note)"), rows)
    await engine.dispose()
