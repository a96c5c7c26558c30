"""The sandbox's person who does what is left to people: works the open to-dos, one by one."""

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime

from deploy.demo.gateway import Gateway, Todo

LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class HandDeed:
    """What was done by hand: the truth that the books are compared with."""

    todo: Todo
    done_at: datetime


class Hands:
    """They know no more than a page of to-dos shows them."""

    def __init__(self, gateway: Gateway, *, seed: int = 0) -> None:
        self.deeds: list[HandDeed] = []
        self._gateway = gateway
        self._tried: set[str] = set()
        self._dice = random.Random(seed)  # noqa: S311 - a play to be repeated, not a secret

    async def play(self) -> None:
        """Look and work, until cancelled."""
        while True:
            await self.take_turn()
            await asyncio.sleep(LOOK_SECONDS)

    async def take_turn(self) -> None:
        for todo in await self._gateway.list_open_todos():
            if todo.id not in self._tried:
                self._tried.add(todo.id)
                await self._do(todo)

    async def _do(self, todo: Todo) -> None:
        """Most invitations are accepted, by and by."""
        outcome = "connected" if self._dice.random() < 0.7 else None
        if await self._gateway.finish_todo(todo.id, outcome=outcome):
            self.deeds.append(HandDeed(todo=todo, done_at=datetime.now(UTC)))
