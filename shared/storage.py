"""Files that people upload: a folder, or any S3-compatible store behind the same four calls.

Keys start with what the file is for and whose it is: `leads-uploads/<company>/<name>`.
"""

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import suppress
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from shared.errors import Misconfigured, NotFound

# S3 takes no smaller parts; two of them are in memory while one is under way.
PART_BYTES = 5 * 1024 * 1024
READ_BYTES = 1024 * 1024


class Storage:
    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, key: str, stream: AsyncIterable[bytes]) -> None:
        """Keep the stream under the key. Nobody sees it before it is whole.

        An error of the stream leaves nothing behind, and what was there stays.
        """
        parts = aiter(stream)
        await obstore.put_async(
            self._store, key, parts, use_multipart=True, chunk_size=PART_BYTES, max_concurrency=2
        )

    async def open(self, key: str, *, start: int = 0) -> AsyncGenerator[bytes, None]:
        """The file's bytes from `start` on, in pieces. Raises NotFound."""
        # Asking for a range that starts at the end is an error in every store.
        if start >= await self.size(key):
            return
        found = await obstore.get_async(self._store, key, options={"range": {"offset": start}})
        async for piece in found.stream(min_chunk_size=READ_BYTES):
            yield bytes(piece)

    async def size(self, key: str) -> int:
        """In bytes. Raises NotFound."""
        try:
            return (await obstore.head_async(self._store, key))["size"]
        except FileNotFoundError:
            raise NotFound("The file is not there any more: upload it again") from None

    async def delete(self, key: str) -> None:
        """Remove the file, if it is there."""
        with suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def list(self, prefix: str) -> list[str]:
        """Every key in this folder, in alphabetical order."""
        found = await obstore.list(self._store, prefix).collect_async()
        return sorted(entry["path"] for entry in found)


def make_storage(url: str | None, data_dir: Path) -> Storage:
    """`s3://bucket/folder` or the like; without it `objects` in the data folder."""
    if url is None:
        folder = data_dir.absolute() / "objects"
        # Addresses of people are in there.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Storage(LocalStore(folder, automatic_cleanup=True))
    try:
        return Storage(from_url(url))
    except (ValueError, BaseError):
        raise Misconfigured(
            "DRUMBEAT_OBJECT_STORE_URL is no address of a store that we know:"
            " use s3://bucket/folder, or leave it out for a folder"
        ) from None
