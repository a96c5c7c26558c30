"""Where a Temporal server comes from, and what is said when there is none."""

import asyncio
import re
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local import temporal_build, temporal_source
from deploy.local.temporal_build import SERVER, UI, CannotBuild, built
from deploy.local.temporal_source import Kind, find_server
from shared.errors import Misconfigured
from tests.deploy.holder import holding, names_in
from tests.deploy.waiting import until

# Answers `go env` and `go install` as far as a build asks; counts the builds.
GO = """#!/bin/sh
if [ "$1" = env ]; then printf '{version}\\nlocal\\n'; exit 0; fi
echo "$5" >> {folder}/builds
touch "$GOBIN/part-of-a-build"
sleep {seconds}
{ending}
"""
BUILT = 'printf "#!/bin/sh\\n" > "$GOBIN/server"; chmod +x "$GOBIN/server"'

BUILDER = """
import asyncio, pathlib, sys
from deploy.local.temporal_build import SERVER, built
asyncio.run(built(SERVER, pathlib.Path(sys.argv[1]), say=print))
"""


@pytest.fixture
def cache(folder: Path) -> Path:
    return folder / "cache"


@pytest.fixture
def tools(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, but for the shell's own tools."""
    made = folder / "tools"
    made.mkdir()
    for name in ("sleep", "touch", "chmod"):
        (made / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(made))
    monkeypatch.setattr(temporal_source, "DOWNLOAD", "http://127.0.0.1:9/")
    return made


@pytest.fixture
async def reachable(tools: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Something answers 200 where the download begins."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setattr(temporal_source, "DOWNLOAD", f"http://127.0.0.1:{port}/cli/default")
        yield


def write_tool(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def write_go(
    tools: Path, *, version: str = "go1.26.8", seconds: float = 0, ending: str = BUILT
) -> None:
    text = GO.format(version=version, folder=tools, seconds=seconds, ending=ending)
    write_tool(tools / "go", text)


def write_cli(tools: Path, version: str) -> None:
    words = f"temporal version 1.9.1 (Server {version}, UI 2.54.1)"
    write_tool(tools / "temporal", f"#!/bin/sh\necho '{words}'\n")


async def test_the_command_line_tool_on_the_path_comes_first(
    tools: Path, cache: Path, said: list[str]
) -> None:
    write_cli(tools, "1.32.0")
    write_go(tools)
    found = await find_server(cache, say=said.append)
    assert (found.kind, found.path, found.version) == (Kind.CLI, tools / "temporal", "1.32.0")
    assert said == []


async def test_a_tool_with_an_older_server_is_passed_over(
    tools: Path, cache: Path, said: list[str]
) -> None:
    write_cli(tools, "1.31.9")
    write_go(tools)
    found = await find_server(cache, say=said.append)
    assert (found.kind, found.path) == (Kind.SERVER, SERVER.path(cache))
    assert said == ["building temporal-server 1.32.0 with Go (once; takes 3 to 5 minutes)"]


async def test_a_download_that_is_there_is_used(tools: Path, cache: Path, said: list[str]) -> None:
    (cache / "temporal-cli").mkdir(parents=True)
    write_cli(cache / "temporal-cli", "1.33.1")
    (cache / "temporal-cli" / "temporal").rename(cache / "temporal-cli" / "temporal-sdk-1.0")
    (cache / "temporal-cli" / "temporal-sdk-2.0.downloading").touch()
    found = await find_server(cache, say=said.append)
    assert (found.version, found.origin) == ("1.33.1", "downloaded by Temporal's SDK")


async def test_the_tool_is_downloaded_where_that_is_possible(
    tools: Path, cache: Path, said: list[str], monkeypatch: pytest.MonkeyPatch, reachable: None
) -> None:
    async def download(folder: Path) -> None:
        write_cli(folder, "1.32.0")
        (folder / "temporal").rename(folder / "temporal-cli-sdk-python-1.35.0")

    monkeypatch.setattr(temporal_source, "_start_once", download)
    found = await find_server(cache, say=said.append)
    assert (found.kind, found.origin) == (Kind.CLI, "downloaded by Temporal's SDK")
    assert said == ["downloading the Temporal CLI (once; usually half a minute)"]


async def test_a_download_that_stands_still_is_given_up(
    tools: Path, cache: Path, said: list[str], monkeypatch: pytest.MonkeyPatch, reachable: None
) -> None:
    async def stand_still(folder: Path) -> None:
        (folder / "temporal-cli-sdk-python-1.35.0.downloading").touch()
        await asyncio.sleep(60)

    monkeypatch.setattr(temporal_source, "_start_once", stand_still)
    monkeypatch.setattr(temporal_source, "STALLED_SECONDS", 0.5)
    write_go(tools)
    found = await find_server(cache, say=said.append)
    assert found.origin == "built with Go"


async def test_a_download_that_breaks_is_reported(
    tools: Path, cache: Path, said: list[str], monkeypatch: pytest.MonkeyPatch, reachable: None
) -> None:
    async def break_off(folder: Path) -> None:
        raise RuntimeError("connection reset")

    monkeypatch.setattr(temporal_source, "_start_once", break_off)
    with pytest.raises(Misconfigured, match="the download failed: connection reset"):
        await find_server(cache, say=said.append)


async def test_what_was_built_is_not_built_again(tools: Path, cache: Path, said: list[str]) -> None:
    write_go(tools)
    first = await find_server(cache, say=said.append)
    assert await find_server(cache, say=said.append) == first
    assert (tools / "builds").read_text().count("\n") == 1


async def test_without_any_server_it_says_what_was_tried_and_what_to_do(
    tools: Path, cache: Path, said: list[str]
) -> None:
    with pytest.raises(Misconfigured) as raised:
        await find_server(cache, say=said.append)
    message = str(raised.value)
    assert "Temporal CLI on the PATH: there is no temporal on the PATH" in message
    assert "download by Temporal's SDK: temporal.download cannot be reached" in message
    assert "build with Go: there is no go on the PATH" in message
    assert "set TEMPORAL_ADDRESS" in message


async def test_a_tool_that_names_no_version_is_quoted(
    tools: Path, cache: Path, said: list[str]
) -> None:
    write_tool(tools / "temporal", "#!/bin/sh\necho no such option\n")
    with pytest.raises(Misconfigured, match="names no server version: 'no such option'"):
        await find_server(cache, say=said.append)


@pytest.mark.parametrize("version", ["go1.20.14", "go1.26.7", "devel"])
async def test_a_go_that_is_too_old_is_named(
    tools: Path, cache: Path, said: list[str], version: str
) -> None:
    write_go(tools, version=version)
    with pytest.raises(CannotBuild, match=f"is {version}, and 1.26.8 is needed"):
        await built(SERVER, cache, say=said.append)


async def test_a_build_that_fails_says_why_and_leaves_nothing(
    tools: Path, cache: Path, said: list[str]
) -> None:
    write_go(tools, ending="echo 'go: downloading x'; echo 'dial tcp: refused'; exit 1")
    with pytest.raises(CannotBuild, match="ended with code 1: dial tcp: refused"):
        await built(SERVER, cache, say=said.append)
    assert names_in(cache) == [f"{SERVER.path(cache).name}.lock"]


async def test_a_killed_build_is_done_again(tools: Path, cache: Path, said: list[str]) -> None:
    write_go(tools, seconds=60)
    with holding(BUILDER, cache):
        await until(lambda: names_in(cache, "*.unfinished/part-of-a-build") != [])
    assert not SERVER.path(cache).exists()
    write_go(tools)
    assert (await built(SERVER, cache, say=said.append)).exists()
    assert names_in(cache, "*.unfinished") == []


async def test_two_at_once_build_once(
    tools: Path, cache: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporal_build, "SAY_SECONDS", 0.1)
    write_go(tools, seconds=2)
    with holding(BUILDER, cache) as builder:
        await until(lambda: (tools / "builds").exists())
        await built(SERVER, cache, say=said.append)
        assert builder.process.wait(60) == 0
    assert (tools / "builds").read_text().count("\n") == 1
    assert said[0] == f"waiting for process {builder.pid}, which builds {SERVER.path(cache).name}"


async def test_server_and_ui_do_not_get_in_each_others_way(
    tools: Path, cache: Path, said: list[str]
) -> None:
    write_go(tools, seconds=0.2)
    paths = await asyncio.gather(
        built(SERVER, cache, say=said.append), built(UI, cache, say=said.append)
    )
    assert len(set(paths)) == 2
    assert all(path.exists() for path in paths)


async def test_a_long_build_tells_how_long_it_has_taken(
    tools: Path, cache: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporal_build, "SAY_SECONDS", 0.05)
    write_go(tools, seconds=0.5)
    await built(SERVER, cache, say=said.append)
    shown = r"building temporal-server: \d+ s of usually 3 to 5 minutes"
    assert re.fullmatch(shown, said[1])
