"""Loads one import in a process that a test may kill: python -m tests.activities.loader"""

import asyncio
import json
import sys
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.testing import ActivityEnvironment

from activities.importing import ImportActivities
from shared.contracts.imports import ImportOrder
from shared.db.session import Database
from shared.keyring import Keyring
from shared.storage import make_storage


async def main() -> None:
    """What to do comes as JSON on standard input."""
    asked = json.loads(sys.stdin.readline())
    activities = ImportActivities(
        database=Database(create_async_engine(asked["url"])),
        storage=make_storage(None, Path(asked["folder"])),
        keyring=Keyring(secret_key=asked["secret_key"], encryption_keys=asked["encryption_keys"]),
        model=None,
        chunk_rows=100,
    )
    order = ImportOrder(company_id=UUID(asked["company_id"]), job_id=UUID(asked["job_id"]))
    while not (await ActivityEnvironment().run(activities.load, order)).is_last:
        pass


if __name__ == "__main__":
    asyncio.run(main())
