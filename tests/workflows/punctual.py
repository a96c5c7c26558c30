"""A stage on which nothing moves by itself, and whoever works takes no time for it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.testing import TimeSkipper
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)
from uuid_utils.compat import uuid7

from shared.db.session import Database
from shared.keyring import Keyring
from tests.fakes.gmail import FakeGmail, FakeTokens
from tests.workflows.conftest import Workers, hold
from workflows.client import TemporalConductor
from workflows.parts import make_parts

# Nothing that runs on this machine takes so long; what is planned is farther apart.
ONE_ATTEMPT = timedelta(seconds=90)


class Punctual(ClientInterceptor, Interceptor):
    """Activities take no time, as in a rehearsal: their clock stands where it was put.

    It is Temporal's own clock, cut back to the instant that its workflow was forwarded to; one
    that comes at any other time shows in the comparison.
    """

    def __init__(self) -> None:
        self.forwarded: dict[str, datetime] = {}
        self.finished: Counter[str] = Counter()
        self.has_finished = asyncio.Condition()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's name
        return _Inbound(next, self)

    async def until_finished(self, workflow_id: str, count: int) -> None:
        async with asyncio.timeout(60), self.has_finished:
            await self.has_finished.wait_for(lambda: self.finished[workflow_id] >= count)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, clock: Punctual) -> None:
        super().__init__(inner)
        self._clock = clock

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        super().init(_Outbound(outbound, self._clock))

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - Temporal's name
        result = await super().execute_activity(input)
        async with self._clock.has_finished:
            self._clock.finished[activity.info().workflow_id or ""] += 1
            self._clock.has_finished.notify_all()
        return result


class _Outbound(ActivityOutboundInterceptor):
    def __init__(self, inner: ActivityOutboundInterceptor, clock: Punctual) -> None:
        super().__init__(inner)
        self._clock = clock

    def info(self) -> activity.Info:
        info = super().info()
        instant = self._clock.forwarded.get(info.workflow_id or "")
        if instant and timedelta() <= info.started_time - instant < ONE_ATTEMPT:
            return replace(info, started_time=instant)
        return info


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where campaigns are lived: nothing moves by itself, and whoever works is punctual."""

    database: Database
    keyring: Keyring
    conductor: TemporalConductor
    skipper: TimeSkipper
    clock: Punctual


@asynccontextmanager
async def set_stage(
    temporal: Client, skipper: TimeSkipper, database: Database, keyring: Keyring, gmail: FakeGmail
) -> AsyncIterator[Stage]:
    hold(skipper)
    clock, tokens, prefix = Punctual(), FakeTokens(), f"test-{uuid7()}/"
    config = temporal.config()
    config["interceptors"] = [*config["interceptors"], clock]
    conductor = TemporalConductor(skipper.client, prefix=prefix)
    async with gmail.http() as http:
        parts = make_parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            http=http,
            token_source_of=lambda _: tokens,
            gmail_endpoint=gmail.endpoint,
            poll_seconds=1,
        )
        workers = Workers(Client(**config), parts, prefix)
        await workers.start()
        try:
            yield Stage(
                database=database,
                keyring=keyring,
                conductor=conductor,
                skipper=skipper,
                clock=clock,
            )
        finally:
            await workers.stop()
