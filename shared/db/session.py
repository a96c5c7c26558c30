"""The one way to the database: a transaction that is a visible block and sees one company."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import Executable, text
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from shared.db.deed import Claim, current_deed
from shared.errors import Conflict

# `true` makes it SET LOCAL: it ends with the transaction, so a pool cannot leak it.
_ENTER = {
    name: f"set_config('app.{name}', :{name}, true)" for name in ("company_id", "user_id", "actor")
}
# Whatever has written has a transaction id, and nothing else has. False: somebody else has claimed
# the write meanwhile, because this one took too long.
_MARK_EFFECT = text("""
with marked as (
  update idempotency_keys set effect_at = coalesce(effect_at, clock_timestamp())
  where id = :id and claimed_at = :claimed_at
    and (select pg_current_xact_id_if_assigned()) is not null
  returning id
)
select pg_current_xact_id_if_assigned() is null or exists (select from marked)
""")
_STATEMENTS: dict[tuple[str, ...], Executable] = {
    names: text(f"select {', '.join(_ENTER[name] for name in names)}")
    for names in (
        ("company_id",),
        ("company_id", "user_id"),
        ("company_id", "actor"),
        ("company_id", "user_id", "actor"),
    )
}


def make_engine(url: str, *, pool_size: int = 20) -> AsyncEngine:
    """A pool of connections as the application role. Broken ones are replaced when taken.

    A statement is planned once for a connection, and not five times before it is kept.
    """
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=10,
        pool_pre_ping=False,
        pool_use_lifo=True,
        connect_args={"prepare_threshold": 1},
    )


class Database:
    """Hands out transactions: they begin and commit with the block, and nobody else commits."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._unwrapped = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def company_session(
        self, company_id: UUID, *, user_id: UUID | None = None
    ) -> AsyncIterator[AsyncSession]:
        """One company's rows as objects; `user_id` also shows that user's tokens."""
        async with self._sessions.begin() as session:
            await session.execute(*_entering(company_id, user_id))
            yield session
            await _end(session)

    @asynccontextmanager
    async def company_transaction(
        self, company_id: UUID, *, user_id: UUID | None = None
    ) -> AsyncIterator[AsyncConnection]:
        """One company's rows as plain SQL, for the paths that run once per step."""
        async with self._engine.begin() as connection:
            await connection.execute(*_entering(company_id, user_id))
            yield connection
            if claim := current_deed().claim:
                await _mark_effect(connection, claim)

    @asynccontextmanager
    async def outside_session(self) -> AsyncIterator[AsyncSession]:
        """No company: users, sessions and OAuth states, and the look-up functions."""
        async with self._sessions.begin() as session:
            yield session
            await _end(session)

    @asynccontextmanager
    async def outside_transaction(self) -> AsyncIterator[AsyncConnection]:
        """The same as plain SQL, to read where every request passes."""
        async with self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def single_statement(self) -> AsyncIterator[AsyncConnection]:
        """For one call of an SQL function that enters its company by itself, on the hot path.

        The statement is the transaction, so that it goes there and back once.
        """
        async with self._unwrapped.connect() as connection:
            yield connection

    async def dispose(self) -> None:
        await self._engine.dispose()


def _entering(company_id: UUID, user_id: UUID | None) -> tuple[Executable, dict[str, str]]:
    known = {"company_id": str(company_id)}
    if user_id is not None:
        known["user_id"] = str(user_id)
    if actor := current_deed().actor:
        known["actor"] = actor
    return _STATEMENTS[tuple(known)], known


async def _end(session: AsyncSession) -> None:
    if claim := current_deed().claim:
        await session.flush()
        await _mark_effect(session, claim)


async def _mark_effect(transaction: AsyncSession | AsyncConnection, claim: Claim) -> None:
    """Note in the effect's own transaction that it happened."""
    known = {"id": claim.id, "claimed_at": claim.claimed_at}
    if not (await transaction.execute(_MARK_EFFECT, known)).scalar_one():
        raise Conflict("This write took so long that its repetition has begun: ask for that one")
