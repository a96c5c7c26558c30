"""Whether the parts that this gateway needs answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

PATIENCE_SECONDS = 2
Probe = Callable[[], Awaitable[object]]


class ReadinessService:
    """`probes`: for each part a call that raises when the part does not answer."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = probes

    async def look(self) -> dict[str, str]:
        """`ok`, or the kind of error, for each part."""
        states = await asyncio.gather(*(_look(probe) for probe in self._probes.values()))
        return dict(zip(self._probes, states, strict=True))


async def _look(probe: Probe) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await probe()
    except Exception as error:  # noqa: BLE001 - whatever it is, the part is not ready
        return type(error).__name__
    return "ok"


def probe_of(engine: AsyncEngine) -> Probe:
    """Whether the database answers."""

    async def ask() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("select 1"))

    return ask
