"""Get the programs of a local start now, so that nothing has to wait for them later.

python -m deploy.local.fetch
"""

import asyncio
from collections.abc import Callable

from deploy.local import temporal_build
from deploy.local.progress import say
from deploy.local.temporal_source import Kind, ServerBinary, find_server
from shared.config import Settings


async def fetch_programs(
    settings: Settings, *, say: Callable[[str], None] = say
) -> ServerBinary | None:
    """The Temporal server and its UI, fetched or built if they are not there. Minutes, once.

    None when the settings name a server that runs already. Raises Misconfigured or CannotBuild.
    """
    if settings.temporal_address is not None:
        return None
    cache = settings.cache_dir.expanduser()
    binary = await find_server(cache, say=say)
    if binary.kind is Kind.SERVER:
        await temporal_build.built(temporal_build.UI, cache, say=say)
    return binary


if __name__ == "__main__":
    asyncio.run(fetch_programs(Settings()))
