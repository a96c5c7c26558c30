"""What servers hold: memory of processes, and bytes on the disk."""

from contextlib import suppress
from pathlib import Path

from sqlalchemy import text

from deploy.bench.servers import Servers

_DATABASE = text("select pg_database_size(current_database())")


def resident_bytes(folder: Path) -> int:
    """Of the processes that run in this folder; 0 where /proc does not say."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").resolve() == folder.resolve():
                total += _kilobytes(process / "status") * 1_024
    return total


def _kilobytes(status: Path) -> int:
    lines = status.read_text(encoding="utf-8").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def file_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("temporal.db*"))


async def database_bytes(servers: Servers) -> int:
    async with servers.database.outside_transaction() as connection:
        size: int = await connection.scalar(_DATABASE)
        return size
