"""Telling running recipients something from within a request: bounded, and never instead of a row.

Rows come first. What cannot be told now, or is too much for a request, the sweeper tells later.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.conductor import Conductor
from shared.contracts.imports import ImportOrder
from shared.contracts.operations import (
    LaunchOrder,
    MailboxOrder,
    RehearsalOrder,
    SampleOrder,
    WakingOrder,
)
from shared.contracts.recipient import RecipientRef, RecipientStart, StopSignal, WakeSignal
from shared.db.repositories.launches import allow_launch
from shared.db.session import Database
from shared.domain.recipient import EndReason, Planned
from shared.errors import DrumbeatError, Unavailable
from shared.launching import launch_page

PATIENCE_SECONDS = 5
TOLD_AT_ONCE = 20
# What one request tells or starts by itself.
MOST_TOLD = 200
MOST_STARTED = 20

_log = logging.getLogger(__name__)


class OutOfReach(DrumbeatError):
    """Temporal did not take a call. The rows are committed, so nothing is lost."""


class ReachableConductor:
    """A conductor that gives up soon, and says so with one error only."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor

    async def start(self, start: RecipientStart) -> None:
        await _reach(self._conductor.start(start))

    async def stop(self, recipient: RecipientRef, signal: StopSignal) -> None:
        await _reach(self._conductor.stop(recipient, signal))

    async def wake(self, recipient: RecipientRef, signal: WakeSignal) -> None:
        await _reach(self._conductor.wake(recipient, signal))

    async def wake_many(self, order: WakingOrder) -> None:
        await _reach(self._conductor.wake_many(order))

    async def launch(self, order: LaunchOrder) -> None:
        await _reach(self._conductor.launch(order))

    async def start_import(self, order: ImportOrder) -> None:
        await _reach(self._conductor.start_import(order))

    async def send_sample(self, order: SampleOrder) -> None:
        await _reach(self._conductor.send_sample(order))

    async def rehearse(self, order: RehearsalOrder) -> None:
        await _reach(self._conductor.rehearse(order))

    async def look(self, order: MailboxOrder) -> None:
        await _reach(self._conductor.look(order))


class Conducting:
    """What services tell after their commit. Nothing here fails a request."""

    def __init__(self, *, database: Database, conductor: Conductor) -> None:
        self.conductor = ReachableConductor(conductor)
        self._database = database

    async def launch(self, company_id: UUID, campaign_id: UUID) -> None:
        """Start every pending recipient, in the background, also if that was called off once."""
        async with self._database.company_transaction(company_id) as connection:
            await allow_launch(connection, campaign_id)
        await self._tell_launcher(company_id, campaign_id)

    async def start_import(self, company_id: UUID, job_id: UUID) -> None:
        """Take in a file of leads, in the background."""
        async with best_effort():
            await self.conductor.start_import(ImportOrder(company_id=company_id, job_id=job_id))

    async def send_sample(self, company_id: UUID, sample_id: UUID) -> None:
        """Send a test mail. Nothing repeats it later: a person waits for it, and asks again."""
        order = SampleOrder(company_id=company_id, sample_id=sample_id)
        try:
            await self.conductor.send_sample(order)
        except OutOfReach as error:
            raise Unavailable(f"{error}: nothing was sent, so try again in a minute") from None

    async def rehearse(self, order: RehearsalOrder) -> None:
        """Play a campaign forward. Nothing repeats it later: a person waits, and asks again."""
        try:
            await self.conductor.rehearse(order)
        except OutOfReach as error:
            raise Unavailable(f"{error}: nothing is played, so try again in a minute") from None

    async def start_new(self, company_id: UUID, campaign_id: UUID, *, added: int) -> None:
        """A few start within the request; many are the launcher's."""
        if not added:
            return
        if added > MOST_STARTED:
            await self._tell_launcher(company_id, campaign_id)
            return
        async with best_effort():
            page = await launch_page(
                self._database, self.conductor, company_id, campaign_id, size=MOST_STARTED
            )
            if not page.is_last:
                await self._tell_launcher(company_id, campaign_id)

    async def stop(self, recipients: Iterable[RecipientRef], reason: EndReason) -> None:
        signal = StopSignal(event_id=uuid7(), reason=reason)
        await _tell(partial(self.conductor.stop, recipient, signal) for recipient in recipients)

    async def wake_many(self, waking: WakingOrder | None) -> None:
        """Let everybody look whom a waking names, in the background. None: nobody has to."""
        if waking is not None:
            async with best_effort():
                await self.conductor.wake_many(waking)

    async def wake(
        self,
        recipients: Iterable[RecipientRef],
        *,
        next: Planned | None = None,  # noqa: A002 - the signal's own word
    ) -> None:
        """`next`: what has just been written for them, so that nobody asks the rows again."""
        signal = WakeSignal(event_id=uuid7(), next=next)
        await _tell(partial(self.conductor.wake, recipient, signal) for recipient in recipients)

    async def _tell_launcher(self, company_id: UUID, campaign_id: UUID) -> None:
        async with best_effort():
            await self.conductor.launch(LaunchOrder(company_id=company_id, campaign_id=campaign_id))


@asynccontextmanager
async def best_effort() -> AsyncIterator[None]:
    """Leave to the sweeper what Temporal does not take now."""
    try:
        yield
    except* OutOfReach:
        _log.warning("conductor.out_of_reach")


async def _tell(calls: Iterable[Callable[[], Awaitable[None]]]) -> None:
    gate = asyncio.Semaphore(TOLD_AT_ONCE)

    async def tell(call: Callable[[], Awaitable[None]]) -> None:
        async with gate:
            await call()

    async with best_effort(), asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(tell(call))


async def _reach(call: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await call
    except Exception as error:  # noqa: BLE001 - whatever the client raises, the rows are kept
        _log.warning("conductor.call_failed %s", type(error).__name__)
        raise OutOfReach("Temporal did not answer") from None
