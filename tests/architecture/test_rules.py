"""Each rule finds what breaks it, and leaves alone what does not."""

import dataclasses
import shutil
import tomllib
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from tests.architecture import fingerprints, rules
from tests.architecture.samples import NotCarried, is_message_shaped, samples
from tests.architecture.source import ROOT, Module, parse
from tests.test_architecture import lint_imports

Rule = Callable[[Sequence[Module]], Iterator[str]]

LONG_FUNCTION = "def story():\n" + "    1\n" * 60
LONG_WORKFLOW = "@workflow.defn(name='x')\nclass Story:\n" + "    1\n" * 164
LOGGER = "workflow.logger.info('plan.made', step=1)"

PROBLEMS: dict[str, object] = {"404": {"content": {"application/problem+json": {}}}}

BROKEN: list[tuple[Rule, str, str, str]] = [
    (rules.sizes, "api/long.py", "1\n" * 301, "has 301 lines, 300 at most"),
    (rules.sizes, "workflows/x.py", LONG_WORKFLOW, "has 166 lines, 165 at most"),
    (rules.sizes, "api/story.py", LONG_FUNCTION, "story has 61 lines, 60 at most"),
    (rules.positional_parameters, "api/x.py", "def f(a, b, c, d, e, g): 1", "takes 6 positional"),
    (rules.empty_names, "api/utils.py", "", "`utils` says nothing"),
    (rules.empty_names, "shared/common/letters.py", "", "`common` says nothing"),
    (rules.empty_names, "shared/base.py", "", "`base` says nothing"),
    (rules.admission_to_shared, "shared/alone.py", "", "shared.alone: nobody uses it"),
    (rules.plain_python, "shared/domain/x.py", "import sqlalchemy", "imports sqlalchemy"),
    (rules.plain_python, "shared/contracts/x.py", "from shared.db import a", "imports shared.db"),
    (rules.commits, "api/services/x.py", "async def f(s): await s.commit()", "x.py:1 commits"),
    (rules.commits, "shared/db/repositories/x.py", "s.commit()", "x.py:1 commits"),
    (rules.logger_fields, "workflows/x.py", LOGGER, "x.py:1 gives workflow.logger the field step"),
    (rules.logger_fields, "activities/x.py", "activity.logger.log(1, 'x', a=1)", "the field a"),
    (rules.transports, "deploy/x.py", "import httplib2\nhttplib2.Http()", "x.py:2 httplib2.Http"),
    (rules.transports, "api/x.py", "from httplib2 import Http", "httplib2.Http repeats"),
    (rules.transports, "shared/providers/x.py", "build().get().execute()", "x.py:1 .execute()"),
    (rules.clocks, "activities/gmail.py", "datetime.now(UTC)", "gmail.py:1 reads the machine's"),
    (rules.clocks, "activities/actions.py", "time.time()", "actions.py:1 reads the machine's"),
    (rules.clocks, "activities/letters.py", "datetime.datetime.utcnow()", "letters.py:1 reads"),
]

KEPT: list[tuple[Rule, str, str]] = [
    (rules.sizes, "api/full.py", "1\n" * 300),
    (rules.sizes, "shared/db/migrations/versions/x.py", "1\n" * 900),
    (rules.positional_parameters, "api/x.py", "class A:\n  def f(self, a, b, c, d, e, *, g): 1"),
    (rules.empty_names, "shared/db/base.py", ""),
    (rules.plain_python, "shared/domain/x.py", "import re\nfrom shared.domain.recipient import S"),
    (rules.plain_python, "shared/inbound.py", "import sqlalchemy"),
    (rules.commits, "shared/db/session.py", "s.commit()"),
    (rules.logger_fields, "workflows/x.py", "workflow.logger.info('x', extra={'step': 1})"),
    (rules.logger_fields, "api/x.py", "console.log('x', style='red')"),
    (rules.transports, "shared/providers/x.py", "httplib2.Response({})"),
    (rules.transports, "shared/db/x.py", "session.execute(statement)"),
    (rules.clocks, "activities/gmail.py", "clock.now()"),
    (rules.clocks, "activities/inbox.py", "time.monotonic()"),
]


def name(case: object) -> str | None:
    return getattr(case, "__name__", None)


@pytest.mark.parametrize(("rule", "path", "text", "words"), BROKEN, ids=name)
def test_a_breach_is_found(rule: Rule, path: str, text: str, words: str) -> None:
    (found,) = rule([parse(path, text)])
    assert words in found


@pytest.mark.parametrize(("rule", "path", "text"), KEPT, ids=name)
def test_what_keeps_a_rule_is_left_alone(rule: Rule, path: str, text: str) -> None:
    assert list(rule([parse(path, text)])) == []


def test_two_users_admit_a_module_to_shared() -> None:
    modules = [
        parse("shared/letters.py", ""),
        parse("shared/calls/bland.py", ""),
        parse("api/a.py", "from shared.letters import write"),
        parse("activities/b.py", "from shared import letters\nimport shared.calls.bland"),
    ]
    assert list(rules.admission_to_shared(modules)) == [
        "shared.calls: activities alone uses it. shared/ is for what two of api, workflows,"
        " activities, deploy use"
    ]


def test_a_missing_or_long_readme_is_found() -> None:
    found = list(rules.readmes({"api": None, "shared": "line\n" * 61, "deploy": "line\n" * 60}))
    assert [it.split("/")[0] for it in found] == ["api", "shared"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"operationId": ""}, "needs an operationId"),
        ({"summary": ""}, "has no summary"),
        ({"responses": {"200": {"content": {"application/json": {}}}}}, "tells of no problem"),
    ],
)
def test_an_undocumented_operation_is_found(change: dict[str, object], words: str) -> None:
    operation = {"operationId": "get_lead", "summary": "Get a lead", "responses": PROBLEMS}
    assert list(rules.undocumented({"paths": {"/leads": {"get": operation}}})) == []
    (found,) = rules.undocumented({"paths": {"/leads": {"get": operation | change}}})
    assert found.startswith("GET /leads")
    assert words in found


def test_two_operations_of_one_name_are_found() -> None:
    operation = {"operationId": "get", "summary": "Get", "responses": PROBLEMS}
    (found,) = rules.undocumented({"paths": {"/a": {"get": operation, "put": operation}}})
    assert found.startswith("PUT /a")


WORKFLOW = '''
@workflow.defn(name="story")
class Story:
    """Told."""

    @workflow.run
    async def run(self, order: Order) -> None:
        """All of it."""
        if workflow.patched("2026-01-02-rest"):
            await workflow.sleep(10)  # to rest
        workflow.set_current_details("reading")
        await workflow.execute_activity_method(Book.read, order, summary="read")

    @workflow.query
    def pages(self) -> int:
        return 1
'''


def fingerprint(text: str) -> dict[str, object]:
    return fingerprints.fingerprints([parse("workflows/story.py", text)])["workflows/story.py"]


def test_a_fingerprint_lists_the_commands_in_order() -> None:
    assert fingerprint(WORKFLOW)["commands"] == [
        "Story.run: patched",
        "Story.run: sleep",
        "Story.run: execute_activity_method",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sleep(10)", "sleep(11)"),
        ("Book.read", "Book.burn"),
        ("if workflow.patched", "if not workflow.patched"),
        ('        if workflow.patched("2026-01-02-rest"):\n    ', ""),
        ("            await workflow.sleep(10)", "            await self.rest()"),
    ],
)
def test_a_change_that_could_break_a_replay_is_found(old: str, new: str) -> None:
    assert old in WORKFLOW
    before = {"workflows/story.py": fingerprint(WORKFLOW)}
    after = {"workflows/story.py": fingerprint(WORKFLOW.replace(old, new))}
    (found,) = fingerprints.changes(before, after)
    assert "workflow.patched(" in found
    assert "python -m tests.architecture.fingerprints" in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""All of it."""', '"""Some of it."""'),
        ("# to rest", "# to wait"),
        ('summary="read"', 'summary="read it"'),
        ('set_current_details("reading")', 'set_current_details("asleep")'),
        ("return 1", "return 2"),
        ("(self, order: Order)", "(self, order: LongOrder)"),
    ],
)
def test_what_no_replay_notices_is_left_alone(old: str, new: str) -> None:
    assert old in WORKFLOW
    assert fingerprint(WORKFLOW.replace(old, new)) == fingerprint(WORKFLOW)


def test_a_new_and_a_removed_workflow_are_found() -> None:
    before = {"workflows/old.py": {"commands": [], "hash": "1"}}
    after = {"workflows/new.py": {"commands": [], "hash": "1"}}
    assert len(list(fingerprints.changes(before, after))) == 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    pause: timedelta


@dataclasses.dataclass
class Loose:
    words: str


def test_a_message_with_a_type_that_is_not_carried_is_found() -> None:
    with pytest.raises(NotCarried, match="timedelta"):
        list(samples(Waiting))


def test_a_message_of_another_shape_is_found() -> None:
    assert is_message_shaped(Waiting)
    assert not is_message_shaped(Loose)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty files in place of ours, under our own contracts."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", root)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    inner = next(it for it in contracts["contracts"] if it.get("containers") == ["shared"])
    names = [name for layer in inner["layers"] for name in layer.split(" | ")]
    files = [f"shared/{name}/__init__.py" for name in names]
    files += [f"{package}/__init__.py" for package in contracts["root_packages"]]
    files += ["api/container.py", "api/main.py", "workflows/worker.py"]
    files += ["api/services/__init__.py", "api/routes/__init__.py"]
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


def test_an_empty_tree_keeps_every_contract(tree: Path) -> None:
    result = lint_imports(tree)
    assert "0 broken" in result.stdout, result.stdout


def test_each_contract_finds_what_breaks_it(tree: Path) -> None:
    """All of them in one tree, because each look at a tree takes a second."""
    broken = {
        "workflows": "import api",
        "shared/db": "import shared.inbound",
        "shared/providers": "import shared.db",
        "shared/domain": "import sqlalchemy",
        "shared/keyring": "import temporalio",
        "api/routes": "import activities",
        "api/services": "import fastapi\nimport shared.config",
        "shared/unplaced": "",
    }
    for folder, text in broken.items():
        (tree / folder).mkdir(exist_ok=True)
        (tree / folder / "__init__.py").write_text(f"{text}\n")
    said = " ".join(lint_imports(tree).stdout.split())
    for folder in broken:
        (tree / folder / "__init__.py").write_text("")
    shutil.rmtree(tree / "shared" / "unplaced")
    assert "0 kept, 7 broken" in said
    for breach in (
        "workflows is not allowed to import api",
        "shared.db is not allowed to import shared.inbound",
        "shared.providers is not allowed to import shared.db",
        "shared.domain is not allowed to import sqlalchemy",
        "shared is not allowed to import temporalio",
        "api is not allowed to import activities",
        "api.services -> shared.config",
        "api.services is not allowed to import fastapi",
        "shared.unplaced",
    ):
        assert breach in said, f"{breach}\n{said}"
