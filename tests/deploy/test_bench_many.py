"""The benchmarks about many recipients, with few: what they count is right and is checked."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from deploy.bench import big, everything, openings, starts, whole
from deploy.bench.big import BigSize, bench_big
from deploy.bench.kills import KillSize, bench_launch
from deploy.bench.openings import OpenSize, bench_open
from deploy.bench.result import BenchResult
from deploy.bench.servers import Servers, running_servers
from deploy.bench.starts import StartSize, bench_start
from deploy.bench.whole import WholeSize, bench_whole
from deploy.commands.bench import app

Say = Callable[[str], None]


@pytest.fixture
def say(said: list[str]) -> Say:
    return said.append


def is_whole(result: BenchResult, name: str) -> bool:
    written: dict[str, Any] = json.loads(json.dumps(result.to_json()))
    wanted = {"name", "ours", "baseline", "ratio", "unit", "seconds"}
    return written["name"] == name and wanted <= written.keys() and written["ratio"] > 0


async def test_a_launch_whose_launcher_is_killed_starts_everybody_once(say: Say) -> None:
    result = await bench_launch(KillSize(recipients=450, kills=2), say)

    assert is_whole(result, "launch")
    assert (result.ratio, result.more["kills"]) == (1, 2)


@pytest.fixture
async def one_pair_of_servers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Each benchmark brings a company of its own, and starting servers takes longer than it."""
    async with running_servers() as servers:

        @asynccontextmanager
        async def same() -> AsyncIterator[Servers]:
            yield servers

        for module in (big, openings, starts, whole):
            monkeypatch.setattr(module, "running_servers", same)
        yield


@pytest.mark.usefixtures("one_pair_of_servers")
async def test_each_counts_and_checks_what_it_measures(say: Say) -> None:
    started = await bench_start(StartSize(recipients=60, rounds=1), say)
    sent = await bench_whole(WholeSize(recipients=30, bare=10), say)
    opened = await bench_open(
        OpenSize(recipients=90, few=45, begun=20, replies=3, seconds=0.2), say
    )
    edited = await bench_big(BigSize(recipients=300, due=20, bare=20, calm=0.5), say)

    assert is_whole(started, "start")
    assert is_whole(sent, "whole")
    assert is_whole(opened, "open")
    assert opened.more["temporal_mib"] > 0
    assert is_whole(edited, "big")
    assert edited.more["due"] == 15


def test_all_of_them_are_commands() -> None:
    known = {command.name or command.callback.__name__ for command in commands()}

    assert {name for name, *_ in everything.BENCHES} == known - {"all"}


def commands() -> list[Any]:
    groups = [it.typer_instance for it in app.registered_groups if it.typer_instance]
    return [command for one in (app, *groups) for command in one.registered_commands]


async def test_one_that_fails_says_so_in_the_list(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everything, "BENCHES", (("steps", "--recipients", "none"),))

    results = await everything.bench_all(say)

    assert results == [{"name": "steps", "error": "it ended with 2: see standard error"}]
