"""Uploaded files, the same in a folder and in a bucket of an S3-compatible server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from shared.errors import Misconfigured, NotFound
from shared.storage import Storage, make_storage
from tests.fakes.s3 import running_s3

MB = 1024 * 1024


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with running_s3() as url:
        yield url


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a new one; the rest is in the environment, as in a real installation."""
    name = f"bucket-{uuid4()}"
    httpx.put(f"{s3}/{name}").raise_for_status()
    environment = {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    for setting, value in environment.items():
        monkeypatch.setenv(setting, value)
    return f"s3://{name}/drumbeat"


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    is_s3 = request.param == "s3"
    return make_storage(request.getfixturevalue("bucket") if is_s3 else None, tmp_path)


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


async def test_a_bucket_keeps_no_parts_of_an_upload_that_breaks(
    bucket: str, s3: str, tmp_path: Path
) -> None:
    """They would be paid for, and hold people's addresses."""
    with pytest.raises(OSError, match="broke"):
        await make_storage(bucket, tmp_path).put("leads-uploads/1", pieces(12, then_fail=True))

    async with httpx.AsyncClient() as http:
        name = bucket.split("/")[2]
        unfinished = await http.get(f"{s3}/{name}?uploads")
    assert unfinished.status_code == 200
    assert "<UploadId>" not in unfinished.text


def test_nobody_else_on_the_machine_reads_the_folder(tmp_path: Path) -> None:
    make_storage(None, tmp_path)
    assert (tmp_path / "objects").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("url", ["nonsense", "ftp://somewhere/else"])
def test_an_address_of_no_store_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="DRUMBEAT_OBJECT_STORE_URL"):
        make_storage(url, tmp_path)


def test_a_bucket_may_take_the_folders_place(tmp_path: Path) -> None:
    make_storage("s3://bucket/folder", tmp_path)
    assert not (tmp_path / "objects").exists()
