"""What each workflow asks of Temporal, in order, and a hash that changes with it.

Temporal replays a running workflow through the code as it is now. If the commands differ from the
history, the workflow stops. After a change that running workflows survive:
python -m tests.architecture.fingerprints
"""

import ast
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.architecture.source import ROOT, Module, read

FILE = ROOT / "tests" / "workflows" / "fingerprints.json"
COMMANDS = {
    "continue_as_new",
    "deprecate_patch",
    "execute_activity",
    "execute_activity_method",
    "execute_child_workflow",
    "execute_local_activity",
    "execute_local_activity_method",
    "patched",
    "sleep",
    "start_activity",
    "start_activity_method",
    "start_child_workflow",
    "start_local_activity",
    "start_local_activity_method",
    "upsert_memo",
    "upsert_search_attributes",
    "uuid4",
    "wait_condition",
}
# They are shown to people; a replay does not compare them.
SHOWN = {"summary", "static_summary", "static_details", "timeout_summary"}
SHOWING = {"workflow.set_current_details", "workflow.logger"}

Fingerprints = dict[str, dict[str, Any]]


def fingerprints(modules: Sequence[Module]) -> Fingerprints:
    """Per file its commands in the order of the text, and the hash of what leads there."""
    return {
        module.path: {
            "commands": list(_commands(module.tree)),
            "hash": hashlib.sha256(_dump(module.tree).encode()).hexdigest()[:16],
        }
        for module in modules
        if module.is_workflow or _speaks_for_one(module.tree)
    }


def _speaks_for_one(tree: ast.Module) -> bool:
    """Whether workflows call it to ask Temporal for something."""
    imports = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    return any(
        node.module == "temporalio" and any(it.name == "workflow" for it in node.names)
        for node in imports
    )


def changes(stored: Fingerprints, found: Fingerprints) -> Iterator[str]:
    for path in sorted(stored.keys() | found.keys()):
        if stored.get(path) != found.get(path):
            yield (
                f"{path} may ask Temporal for other things than before, and workflows that are"
                " running now replay through it.\n"
                "- If the order of commands can differ for them: put the change behind"
                ' `if workflow.patched("YYYY-MM-DD-what"):`, keep the old way in `else`, and'
                " leave both until the last of them has ended.\n"
                "- If it cannot differ (a name, a new branch behind a patch): go on.\n"
                "- Then run `python -m tests.architecture.fingerprints`, and the replay test over"
                " the stored histories; say in the commit why it is safe."
            )


def load(file: Path = FILE) -> Fingerprints:
    found: Fingerprints = json.loads(file.read_text())
    return found


def main() -> None:
    text = json.dumps(fingerprints(read("workflows")), indent=1, sort_keys=True)
    FILE.write_text(f"{text}\n")


def _commands(tree: ast.AST, where: str = "") -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        inner = where
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{where}.{node.name}".lstrip(".")
        yield from _commands(node, inner)
        match node:
            case ast.Attribute(value=ast.Name(id="workflow"), attr=name) if name in COMMANDS:
                yield f"{where}: {name}"


def _dump(node: object) -> str:
    """The tree without comments, docstrings and shown texts; the same in every Python version."""
    if isinstance(node, list):
        return f"[{','.join(_dump(it) for it in node if not _is_left_out(it))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = [
        f"{name}={_dump(value)}"
        for name, value in ast.iter_fields(node)
        if name not in {"ctx", "kind", "type_comment", "type_params", "returns", "annotation"}
        if value is not None and value != []
    ]
    return f"{type(node).__name__}({','.join(parts)})"


def _is_left_out(node: object) -> bool:
    if isinstance(node, ast.keyword):
        return node.arg in SHOWN
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.unparse(node.value.func).startswith(tuple(SHOWING))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return any(ast.unparse(it) == "workflow.query" for it in node.decorator_list)
    return isinstance(node, ast.Import | ast.ImportFrom)


if __name__ == "__main__":
    main()
