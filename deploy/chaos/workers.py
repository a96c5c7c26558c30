"""Worker processes that can die: each has connections, a wire and memory of its own."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import psycopg
from psycopg import AsyncConnection
from sqlalchemy import AsyncAdaptedQueuePool, Connection, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from deploy.chaos.mail_wire import MailWire, RoutedPostboxes
from deploy.chaos.providers import Providers
from deploy.chaos.wire import Ordeal, Wire
from deploy.sandbox.bland import FakeBland
from deploy.sandbox.faulty_gmail import FakeGmail, FakeTokens
from deploy.sandbox.mail_servers import Postbox
from deploy.sandbox.unipile import FakeUnipile
from shared.conductor import Conductor
from shared.db.session import Database
from shared.keyring import Keyring
from shared.providers.unipile import UnipileClient
from workflows.parts import Parts, make_parts

SECONDS_TO_END = 10
# Bland calls nobody at home.
GATEWAY = "https://gateway.test"
PartsOf = Callable[..., Parts]

# Who waits for a lock has no COMMIT on its way.
_ARE_BUSY = text(
    "select exists (select from pg_stat_activity"
    " where pid = any (:pids) and wait_event_type is distinct from 'Lock')"
)
_TERMINATE = text("select pg_terminate_backend(pid) from unnest(cast(:pids as int[])) pid")


class ChaosWorker:
    """Serves one attempt at a time, so that it can die with that attempt."""

    def __init__(
        self,
        *,
        url: str,
        postboxes: Mapping[str, Postbox],
        keyring: Keyring,
        conductor: Conductor,
        parts_of: PartsOf = make_parts,
    ) -> None:
        self.is_dead = False
        self.is_committing = False
        self.commits = 0
        self.wire, self.mail = Wire(), MailWire(postboxes)
        self._connections: set[AsyncConnection[Any]] = set()
        self._left_behind: list[int] = []
        self._engine = create_async_engine(url, pool_size=3, max_overflow=2, pool_use_lifo=True)
        self._watch()
        self._http = httpx.AsyncClient(transport=self.wire)
        self.database = Database(self._engine)
        self.parts = parts_of(
            database=self.database,
            keyring=keyring,
            conductor=conductor,
            http=self._http,
            token_source_of=lambda account: FakeTokens(str(account.account_id)),
            gmail_endpoint=FakeGmail.endpoint,
            bland_endpoint=FakeBland.endpoint,
            public_url=GATEWAY,
            unipile=UnipileClient(
                self._http, endpoint=FakeUnipile.endpoint, api_key=FakeUnipile.api_key
            ),
            poll_seconds=60,
            postboxes=RoutedPostboxes(wire=self.mail, database=self.database, keyring=keyring),
        )

    def face(self, providers: Providers | None, ordeal: Ordeal | None = None) -> None:
        """Whom its next calls go to, and what they go through."""
        self.wire.providers = providers
        self.wire.ordeal = self.mail.ordeal = ordeal

    @property
    def is_in_transaction(self) -> bool:
        pool = self._engine.pool
        return isinstance(pool, AsyncAdaptedQueuePool) and pool.checkedout() > 0

    def die(self) -> None:
        """From now on nothing that the process still does reaches anybody, and it hears nothing.

        What it has written to its sockets was written: a COMMIT on its way is still carried out.
        """
        self.is_dead = self.wire.is_cut = True
        self.mail.cut()
        self._left_behind = self._pids()
        for connection in list(self._connections):
            with contextlib.suppress(OSError), _socket_of(connection) as end:
                end.shutdown(socket.SHUT_RDWR)

    async def until_forgotten(self, admin: AsyncEngine) -> None:
        """Return when Postgres has carried out what a dead worker had written to its sockets."""
        # The number of a process may be another one's by now.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_TO_END):
                while await self._is_remembered(admin):  # noqa: ASYNC110 - Postgres tells nobody
                    await asyncio.sleep(0.01)

    async def _is_remembered(self, admin: AsyncEngine) -> bool:
        if not self._left_behind:
            return False
        # A transaction always sees the same activity, so each look has one of its own.
        async with admin.connect() as connection:
            return bool(await connection.scalar(_ARE_BUSY, {"pids": self._left_behind}))

    async def lose_backends(self, admin: AsyncEngine) -> None:
        """Postgres ends the server side of this worker's connections."""
        async with admin.connect() as connection:
            await connection.execute(_TERMINATE, {"pids": self._pids()})

    async def reconnect(self) -> None:
        """Leave the connections that are lost, and nobody has noticed."""
        await self._engine.dispose()

    async def close(self) -> None:
        await self._http.aclose()
        await self.mail.close()
        await self._engine.dispose()

    def _pids(self) -> list[int]:
        return [pid for connection in self._connections if (pid := _pid_of(connection))]

    def _watch(self) -> None:
        engine = self._engine.sync_engine
        event.listen(engine, "do_connect", self._before_connect)
        event.listen(engine, "connect", self._after_connect)
        event.listen(engine, "commit", self._begin_commit)
        event.listen(engine, "before_cursor_execute", self._begin_statement)
        event.listen(engine, "after_cursor_execute", self._end_commit)
        event.listen(engine.pool, "checkin", self._end_commit)

    def _before_connect(self, *_: object) -> None:
        if self.is_dead:
            raise OperationalError("connect", {}, Exception("this process is dead"))

    def _after_connect(self, connection: Any, _: object) -> None:
        self._before_connect()
        self._connections.add(connection.driver_connection)

    def _begin_commit(self, _: object) -> None:
        self.is_committing = True
        self.commits += 1

    def _begin_statement(self, connection: Connection, *_: object) -> None:
        # The statement that keeps a draft commits itself.
        if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            self._begin_commit(connection)

    def _end_commit(self, *_: object) -> None:
        self.is_committing = False


def _pid_of(connection: AsyncConnection[Any]) -> int | None:
    try:
        return connection.info.backend_pid
    except psycopg.OperationalError:
        # It is lost already.
        return None


def _socket_of(connection: AsyncConnection[Any]) -> socket.socket:
    return socket.socket(fileno=os.dup(connection.pgconn.socket))
