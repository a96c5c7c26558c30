"""Rules about single files and calls. Each takes modules and answers one sentence per breach."""

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from tests.architecture.source import Module

LONGEST_FILE = 300
LONGEST_WORKFLOW_FILE = 165
LONGEST_FUNCTION = 60
MOST_POSITIONAL = 5
LONGEST_README = 60
USERS_OF_SHARED = ("api", "workflows", "activities", "deploy")
EMPTY_NAMES = {"utils", "util", "helpers", "common", "misc", "core", "base", "types", "constants"}
EMPTY_NAMES |= {"manager", "managers"}
# What every table shares is a base, and SQLAlchemy's word for it.
NAMES_WITH_A_REASON = {"shared/db/base.py"}
COMMITTERS = {"shared/db/session.py", "shared/db/migrations/env.py"}
# Temporal's own SQLite file, with no server running.
COMMITTERS |= {"deploy/local/temporal_files.py"}
# Migrations run by themselves, and a benchmark measures what goes past our sessions.
COMMITTING_FOLDERS = ("shared/db/migrations/versions/", "deploy/bench/")
DECIDING = {"actions.py", "gmail.py", "recipient.py", "letters.py"}
CLOCKS = {"now", "utcnow", "today", "time", "time_ns"}
# Those that the standard library's logger knows; all others raise.
LOGGER_KEYWORDS = {"exc_info", "stack_info", "stacklevel", "extra"}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def sizes(modules: Sequence[Module]) -> Iterator[str]:
    for module in modules:
        lines = len(module.text.splitlines())
        most = LONGEST_WORKFLOW_FILE if module.is_workflow else LONGEST_FILE
        if lines > most and not module.is_migration:
            yield f"{module.path} has {lines} lines, {most} at most: find the second subject in it"
        for function in module.functions:
            length = (function.end_lineno or function.lineno) - function.lineno + 1
            if length > LONGEST_FUNCTION and not module.is_migration:
                yield (
                    f"{module.line(function)} {function.name} has {length} lines,"
                    f" {LONGEST_FUNCTION} at most: name its parts"
                )


def positional_parameters(modules: Sequence[Module]) -> Iterator[str]:
    for module in modules:
        for function in module.functions:
            names = [it.arg for it in (*function.args.posonlyargs, *function.args.args)]
            count = len([name for name in names if name not in {"self", "cls"}])
            if count > MOST_POSITIONAL:
                yield (
                    f"{module.line(function)} {function.name} takes {count} positional parameters,"
                    f" {MOST_POSITIONAL} at most: put a * before those that need their name"
                )


def empty_names(modules: Sequence[Module]) -> Iterator[str]:
    for module in modules:
        words = {PurePosixPath(module.path).stem, *PurePosixPath(module.path).parts[:-1]}
        if words & EMPTY_NAMES and module.path not in NAMES_WITH_A_REASON:
            word = min(words & EMPTY_NAMES)
            yield f"{module.path}: `{word}` says nothing. Name it by the trade's word for it"


def admission_to_shared(modules: Sequence[Module]) -> Iterator[str]:
    """For files and folders directly in shared/."""
    users: dict[str, set[str]] = {}
    for module in modules:
        parts = PurePosixPath(module.path).with_suffix("").parts
        if parts[0] == "shared" and len(parts) > 1 and parts[1] != "__init__":
            users.setdefault(f"shared.{parts[1]}", set())
    for module in modules:
        if module.package in USERS_OF_SHARED:
            for imported in module.imports:
                users.get(".".join(imported.split(".")[:2]), set()).add(module.package)
    for name, packages in sorted(users.items()):
        if len(packages) < 2:
            only = f"{min(packages)} alone uses it" if packages else "nobody uses it"
            yield f"{name}: {only}. shared/ is for what two of {', '.join(USERS_OF_SHARED)} use"


def plain_python(modules: Sequence[Module]) -> Iterator[str]:
    """shared.domain and shared.contracts import the standard library and each other."""
    inner = ("shared/domain/", "shared/contracts/")
    for module in modules:
        if module.path.startswith(inner):
            for imported in sorted(module.imports):
                is_ours = imported.startswith(("shared.domain", "shared.contracts"))
                is_named = imported.rpartition(".")[0] in module.imports
                is_known = imported.split(".")[0] in sys.stdlib_module_names
                if not (is_ours or is_named or is_known):
                    yield (
                        f"{module.path} imports {imported}: decisions and messages are plain"
                        " Python, so that they replay and can be tested as tables"
                    )


def commits(modules: Sequence[Module]) -> Iterator[str]:
    for module in modules:
        for call in _method_calls(module, {"commit"}):
            is_apart = module.path.startswith(COMMITTING_FOLDERS)
            if module.path not in COMMITTERS and not is_apart:
                yield (
                    f"{module.line(call)} commits. A transaction is a visible `async with"
                    " database.company_session(...)` block, and its end is the commit"
                )


def logger_fields(modules: Sequence[Module]) -> Iterator[str]:
    for module in modules:
        for call in _method_calls(module, LEVELS):
            logger = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
            wrong = [it.arg for it in call.keywords if it.arg not in LOGGER_KEYWORDS]
            if logger in {"workflow.logger", "activity.logger"} and wrong:
                yield (
                    f"{module.line(call)} gives {logger} the field {wrong[0]}. That raises, and a"
                    " failing workflow task is retried for ever: use extra={...}"
                )


def transports(modules: Sequence[Module]) -> Iterator[str]:
    for module in modules:
        words = "repeats POSTs by itself, so a mail could go out twice: send through httpx"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "httplib2.Http":
                yield f"{module.line(node)} httplib2.Http {words}"
        if "httplib2.Http" in module.imports:
            yield f"{module.path} httplib2.Http {words}"
        if module.path.startswith("shared/providers/"):
            for call in _method_calls(module, {"execute"}):
                yield f"{module.line(call)} .execute() goes through httplib2, which {words}"


def clocks(modules: Sequence[Module]) -> Iterator[str]:
    for module in modules:
        is_deciding = PurePosixPath(module.path).name in DECIDING
        if module.package != "activities" or not is_deciding:
            continue
        for call in _method_calls(module, CLOCKS):
            if ast.unparse(call.func).startswith(("datetime.", "date.", "time.", "dt.")):
                yield (
                    f"{module.line(call)} reads the machine's clock. Decisions ask"
                    " activities.clock, which time skipping moves too"
                )


def readmes(texts: dict[str, str | None]) -> Iterator[str]:
    """`texts`: per folder its README, None where it has none."""
    for folder, text in texts.items():
        if text is None:
            yield f"{folder}/README.md is missing: say what lives there, what never does, and why"
        elif len(text.splitlines()) > LONGEST_README:
            yield f"{folder}/README.md has over {LONGEST_README} lines, which nobody reads"


def undocumented(document: dict[str, object]) -> Iterator[str]:
    """Operations of an OpenAPI document that lack an id, a summary or their problems."""
    seen: set[str] = set()
    paths = document["paths"]
    assert isinstance(paths, dict)
    for path, operations in paths.items():
        for method, operation in operations.items():
            where = f"{method.upper()} {path}"
            name = operation.get("operationId")
            if not name or name in seen:
                yield f"{where} needs an operationId of its own: clients are named after it"
            seen.add(name)
            if not operation.get("summary"):
                yield f"{where} has no summary: say in one line what it does"
            answers = operation.get("responses", {}).values()
            if not any("application/problem+json" in it.get("content", {}) for it in answers):
                yield f"{where} tells of no problem: list what can go wrong with problems(...)"


def _method_calls(module: Module, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in names:
                yield node
