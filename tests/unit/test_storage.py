"""Uploaded files in a folder, and the settings that name another place."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.errors import Misconfigured, NotFound
from shared.storage import Storage, make_storage

MB = 1024 * 1024


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return make_storage(None, tmp_path)


async def pieces(count: int, *, then_fail: bool = False) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * MB
    if then_fail:
        raise OSError("the connection broke")


async def read(storage: Storage, key: str, *, start: int = 0) -> bytes:
    return b"".join([piece async for piece in storage.open(key, start=start)])


async def test_a_file_comes_back_whole_and_from_any_byte(storage: Storage) -> None:
    await storage.put("leads-uploads/a/1.csv", pieces(12))

    assert await storage.size("leads-uploads/a/1.csv") == 12 * MB
    assert await read(storage, "leads-uploads/a/1.csv", start=12 * MB - 2) == b"\x0b\x0b"
    assert await read(storage, "leads-uploads/a/1.csv", start=12 * MB) == b""


async def test_an_upload_that_breaks_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="broke"):
        await storage.put("leads-uploads/a/1.csv", pieces(7, then_fail=True))

    assert await storage.list("leads-uploads") == []
    assert [it for it in tmp_path.rglob("*") if it.is_file()] == []  # noqa: ASYNC240 - a test may wait


async def test_files_are_listed_by_folder_and_deleted_once_and_often(storage: Storage) -> None:
    for key in ("leads-uploads/a/1", "leads-uploads/ab/2", "product-files/a/3"):
        await storage.put(key, pieces(1))

    assert await storage.list("leads-uploads/a") == ["leads-uploads/a/1"]
    for _ in range(2):
        await storage.delete("leads-uploads/a/1")
    with pytest.raises(NotFound, match="upload it again"):
        await read(storage, "leads-uploads/a/1")


def test_nobody_else_on_the_machine_reads_the_folder(storage: Storage, tmp_path: Path) -> None:
    assert (tmp_path / "objects").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("url", ["nonsense", "ftp://somewhere/else"])
def test_an_address_of_no_store_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="DRUMBEAT_OBJECT_STORE_URL"):
        make_storage(url, tmp_path)


def test_a_bucket_may_take_the_folders_place(tmp_path: Path) -> None:
    make_storage("s3://bucket/folder", tmp_path)
    assert not (tmp_path / "objects").exists()
