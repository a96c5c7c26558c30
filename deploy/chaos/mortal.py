"""Worker processes that kill themselves: `python -m deploy.chaos.mortal POST.json`.

The process that is started serves nothing. It has everything imported and forks the workers, so
that a new one costs a fraction of a second; it never touches Temporal itself, whose client does
not survive a fork.
"""

import asyncio
import ctypes
import gc
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import uvloop
from temporalio import activity
from temporalio.client import Client
from temporalio.common import RetryPolicy

import activities.gmail
from activities.gmail import GmailActivities
from deploy.chaos.steering import drive
from deploy.chaos.wounds import Wounds
from deploy.sandbox.faulty_gmail import FakeTokens
from shared.contracts.queues import Queue
from shared.contracts.recipient import ActionOrder
from shared.db.session import Database, make_engine
from shared.domain.recipient import ActivityName, Outcome
from shared.keyring import Keyring
from workflows import policies
from workflows.client import TemporalConductor, connect_temporal
from workflows.parts import Parts
from workflows.worker import Limits, make_worker

PR_SET_PDEATHSIG = 1
PAUSE_SECONDS = 0.5
PARTS_OF = "workflows.parts:make_parts"
# A killed worker is missed after the first of these, so that a kill costs seconds.
ATTEMPT_SECONDS, CALL_SECONDS, STICKY_SECONDS = 6, 2, 1
# One that dies takes its workflow tasks along, and Temporal misses those after 10 s only: so
# most of them are done by a process that has no reason to die.
CHILDREN = (
    (Queue.RECIPIENT,),
    (Queue.RECIPIENT, Queue.GMAIL),
    (Queue.GMAIL,),
    (Queue.GMAIL,),
    (Queue.GMAIL,),
)
# With more of them in one process, one death would hold up everybody for an attempt's time-out.
ATTEMPTS_AT_ONCE = 2
_phase: ContextVar[list[str]] = ContextVar("phase")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where these workers serve, written as JSON for them to read. `parts_of`: what wires them."""

    database_url: str
    temporal_address: str
    gmail_endpoint: str
    secret: str
    wounds: str
    parts_of: str

    @property
    def keyring(self) -> Keyring:
        return Keyring(secret_key=self.secret, encryption_keys=f"chaos:{self.secret}")


class MortalGmail(GmailActivities):
    """Does what `living` does, until the moment comes at which this process dies."""

    def __init__(self, living: GmailActivities, wounds: Wounds) -> None:
        self.__dict__.update(living.__dict__)
        self._living, self._wounds = living, wounds

    @activity.defn(name=ActivityName.GMAIL_SEND)
    async def send(self, order: ActionOrder) -> Outcome:
        """Send, unless it is its turn to die at one of the waits on the way."""
        wound = self._wounds.find(order.recipient_id, order.step_id)
        if wound is None:
            return await self._living.send(order)
        phase = ["reserve"]
        _phase.set(phase)

        async def on_suspension(number: int) -> None:
            if number >= wound.suspension:
                self._wounds.die(wound, phase[-1])

        outcome = await drive(self._living.send(order), on_suspension)
        # Recorded, and Temporal never hears of it.
        self._wounds.die(wound, "answer")
        return outcome


def main(path: str) -> None:
    """Keep the workers alive for as long as this process is."""
    post = Post(**json.loads(Path(path).read_text()))
    be_impatient()
    gc.freeze()
    children = {_fork(post, queues): queues for queues in CHILDREN}
    while True:
        pid, status = os.wait()
        queues = children.pop(pid)
        if not os.WIFSIGNALED(status):
            time.sleep(PAUSE_SECONDS)
        children[_fork(post, queues)] = queues


def be_impatient() -> None:
    """Short time-outs for everything that is defined in this process from now on."""
    activities.gmail.CALL_SECONDS = CALL_SECONDS
    policies.POLICIES[ActivityName.GMAIL_SEND] = policies.Policy(
        start_to_close_timeout=timedelta(seconds=ATTEMPT_SECONDS),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=5)
        ),
    )
    policies.POLICIES[ActivityName.RECIPIENT_PLAN] = policies.Policy(
        start_to_close_timeout=timedelta(seconds=ATTEMPT_SECONDS),
        retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=5)),
    )


def _fork(post: Post, queues: Sequence[Queue]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        _follow(parent)
        uvloop.run(serve(post, queues))
    except BaseException:  # noqa: BLE001 - the fork must not go on in main()
        traceback.print_exc()
    finally:
        os._exit(1)


def _follow(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


async def serve(post: Post, queues: Sequence[Queue]) -> None:
    """A worker of the product, with its own wiring and short time-outs, until it is killed."""
    async with AsyncExitStack() as stack:
        engine = make_engine(post.database_url, pool_size=5)
        stack.push_async_callback(engine.dispose)
        hooks: dict[str, list[Callable[..., Any]]] = {"request": [_calling], "response": [_called]}
        http = await stack.enter_async_context(
            httpx.AsyncClient(timeout=CALL_SECONDS, event_hooks=hooks, trust_env=False)
        )
        temporal = await _connect(post)
        module, _, name = post.parts_of.partition(":")
        parts: Parts = getattr(import_module(module), name)(
            database=Database(engine),
            keyring=post.keyring,
            conductor=TemporalConductor(temporal),
            http=http,
            token_source_of=lambda account: FakeTokens(str(account.account_id)),
            gmail_endpoint=post.gmail_endpoint,
            poll_seconds=60,
        )
        parts = replace(parts, gmail=MortalGmail(parts.gmail, Wounds(Path(post.wounds))))
        for queue in queues:
            limits = Limits(activities=ATTEMPTS_AT_ONCE, sticky_seconds=STICKY_SECONDS)
            worker = make_worker(temporal, queue, parts, limits=limits)
            await stack.enter_async_context(worker)
        await asyncio.Event().wait()


async def _connect(post: Post) -> Client:
    while True:
        try:
            return await connect_temporal(post.temporal_address)
        except RuntimeError:
            # Killed just now, and not back yet.
            await asyncio.sleep(PAUSE_SECONDS)


async def _calling(_: httpx.Request) -> None:
    _phase.get([]).append("call")


async def _called(response: httpx.Response) -> None:
    if response.request.url.path.endswith("/drafts/send") and response.is_success:
        _phase.get([]).append("record")


if __name__ == "__main__":
    main(sys.argv[1])
