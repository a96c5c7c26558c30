"""The one way to the database: a transaction that is a visible block and sees one company."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

# `true` makes it SET LOCAL: it ends with the transaction, so a pool cannot leak it.
_ENTER_COMPANY = text("select set_config('app.company_id', :company_id, true)")
_ENTER_USER = text(
    "select set_config('app.company_id', :company_id, true),"
    " set_config('app.user_id', :user_id, true)"
)


def make_engine(url: str, *, pool_size: int = 20) -> AsyncEngine:
    """A pool of connections as the application role. Broken ones are replaced when taken."""
    return create_async_engine(
        url, pool_size=pool_size, max_overflow=10, pool_pre_ping=False, pool_use_lifo=True
    )


class Database:
    """Hands out transactions: they begin and commit with the block, and nobody else commits."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def company_session(
        self, company_id: UUID, *, user_id: UUID | None = None
    ) -> AsyncIterator[AsyncSession]:
        """One company's rows as objects; `user_id` also shows that user's tokens."""
        async with self._sessions.begin() as session:
            await session.execute(*_entering(company_id, user_id))
            yield session

    @asynccontextmanager
    async def company_transaction(
        self, company_id: UUID, *, user_id: UUID | None = None
    ) -> AsyncIterator[AsyncConnection]:
        """One company's rows as plain SQL, for the paths that run once per step."""
        async with self._engine.begin() as connection:
            await connection.execute(*_entering(company_id, user_id))
            yield connection

    @asynccontextmanager
    async def outside_session(self) -> AsyncIterator[AsyncSession]:
        """No company: users, sessions and OAuth states, and the look-up functions."""
        async with self._sessions.begin() as session:
            yield session

    async def dispose(self) -> None:
        await self._engine.dispose()


def _entering(company_id: UUID, user_id: UUID | None) -> tuple[TextClause, dict[str, str]]:
    if user_id is None:
        return _ENTER_COMPANY, {"company_id": str(company_id)}
    return _ENTER_USER, {"company_id": str(company_id), "user_id": str(user_id)}
