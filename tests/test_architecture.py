"""The shape of the project. Each check says what to do; tests/architecture holds the rules."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import httpx
import pytest
from temporalio.client import Client
from temporalio.worker import Worker

import activities
from api.main import openapi_document
from deploy.local.temporal import Temporal
from shared.contracts.queues import Queue
from shared.db.session import Database, make_engine
from shared.domain.recipient import ActivityName, Outcome
from shared.keyring import Keyring
from tests.architecture import fingerprints, rules
from tests.architecture.registration import activity_names, name_of
from tests.architecture.samples import OUTCOMES, is_message_shaped, messages, samples
from tests.architecture.source import LAYERS, ROOT, Module, read
from tests.fakes.conductor import RecordingConductor
from workflows.parts import Parts, make_parts
from workflows.payloads import DATA_CONVERTER
from workflows.policies import ACTIVITIES, POLICIES, QUEUES
from workflows.worker import WORKFLOWS, make_worker

Rule = Callable[[Sequence[Module]], Iterator[str]]


@cache
def source(*packages: str) -> list[Module]:
    """Once, and when first asked for: most processes that collect this file run none of it."""
    return read(*packages)


def refuse(breaches: Iterator[str]) -> None:
    """Say what to do, one below the other, and nothing else."""
    if found := list(breaches):
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize(
    "rule",
    [
        rules.sizes,
        rules.positional_parameters,
        rules.empty_names,
        rules.admission_to_shared,
        rules.plain_python,
        rules.commits,
        rules.logger_fields,
        rules.transports,
        rules.clocks,
    ],
    ids=lambda rule: rule.__name__,
)
def test_the_product_keeps_the_rule(rule: Rule) -> None:
    refuse(rule(source(*LAYERS)))


@pytest.mark.parametrize("rule", [rules.sizes, rules.empty_names], ids=lambda rule: rule.__name__)
def test_the_tests_keep_the_rule_too(rule: Rule) -> None:
    refuse(rule(source("tests")))


def test_every_top_folder_says_what_lives_there() -> None:
    files = {folder: ROOT / folder / "README.md" for folder in (*LAYERS, "tests")}
    texts = {name: file.read_text() if file.exists() else None for name, file in files.items()}
    refuse(rules.readmes(texts))


def test_imports_go_the_ways_that_they_may() -> None:
    result = lint_imports(ROOT)
    refuse(iter([result.stdout + result.stderr] if result.returncode else []))


def test_every_operation_is_documented() -> None:
    refuse(rules.undocumented(openapi_document()))


def test_workflows_ask_for_what_they_asked_before() -> None:
    found = fingerprints.fingerprints(read("workflows"))
    refuse(fingerprints.changes(fingerprints.load(), found))


@pytest.mark.parametrize("message", messages(), ids=lambda message: message.__name__)
async def test_every_message_comes_back_as_it_was(message: type) -> None:
    assert is_message_shaped(message), "write @dataclass(frozen=True, slots=True, kw_only=True)"
    for sample in samples(message):
        # An activity's answer is read by the union, which its `kind` must tell apart.
        hints: list[Any] = [message, Outcome] if message in OUTCOMES else [message]
        for hint in hints:
            payloads = await DATA_CONVERTER.encode([sample])
            (back,) = await DATA_CONVERTER.decode(payloads, [hint])
            assert back == sample
            assert type(back) is message


def test_outcomes_are_told_apart_by_their_kind() -> None:
    """By their other fields JSON could come back as the wrong one."""
    kinds = [get_args(get_type_hints(outcome).get("kind")) for outcome in OUTCOMES]
    assert kinds == [(outcome.__name__.lower(),) for outcome in OUTCOMES]


def test_whatever_a_plan_names_can_be_run() -> None:
    assert ACTIVITIES.keys() == POLICIES.keys() == QUEUES.keys() == set(ActivityName)
    assert {name: name_of(method) for name, method in ACTIVITIES.items()} == {
        name: str(name) for name in ActivityName
    }


async def test_every_activity_is_served_by_one_queue(workers: dict[Queue, Worker]) -> None:
    served: dict[str, list[Queue]] = {name: [] for name in activity_names(activities)}
    for queue, worker in workers.items():
        for activity in worker.config().get("activities") or ():
            served[name_of(activity)].append(queue)
    wrong = {name: queues for name, queues in served.items() if len(queues) != 1}
    assert wrong == {}, "name each activity once in workflows.worker.make_worker"
    assert {name: served[name][0] for name in QUEUES} == dict(QUEUES)


async def test_every_workflow_is_served_by_one_queue(workers: dict[Queue, Worker]) -> None:
    served = [it for worker in workers.values() for it in worker.config().get("workflows") or ()]
    assert served == [it for kept in WORKFLOWS.values() for it in kept]
    defined = {it.path for it in source(*LAYERS) if it.is_workflow and it.package == "workflows"}
    files = {f"{it.__module__.replace('.', '/')}.py" for it in served}
    assert files == defined, "add the workflow to WORKFLOWS in workflows/worker.py"
    assert len(served) == len(defined), "one workflow a file"


@pytest.fixture
async def workers(temporal_server: Temporal, keyring: Keyring) -> dict[Queue, Worker]:
    """As they would run, but not started."""
    client = await Client.connect(temporal_server.address)
    parts = make_unconnected_parts(keyring)
    return {queue: make_worker(client, queue, parts, prefix="idle/") for queue in Queue}


def make_unconnected_parts(keyring: Keyring) -> Parts:
    def no_tokens(account: object) -> Any:
        raise AssertionError("nothing is called here")

    return make_parts(
        database=Database(make_engine("postgresql+psycopg://nobody@/nowhere")),
        keyring=keyring,
        conductor=RecordingConductor(),
        http=httpx.AsyncClient(),
        token_source_of=no_tokens,
        gmail_endpoint="http://127.0.0.1:1",
        poll_seconds=1,
    )


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    return subprocess.run(  # noqa: S603 - our own words
        command, cwd=root, capture_output=True, text=True, check=False, timeout=300
    )
