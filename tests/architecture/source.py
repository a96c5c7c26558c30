"""The source as the rules read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYERS = ("deploy", "api", "workflows", "activities", "shared")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file; `path` is relative to the root, with slashes."""

    path: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.path.split("/", 1)[0]

    @property
    def imports(self) -> set[str]:
        """Every module that may be meant: `from a import b` may mean a and a.b."""
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        return found

    @property
    def functions(self) -> Iterator[FunctionNode]:
        for node in ast.walk(self.tree):
            if isinstance(node, FunctionNode):
                yield node

    @property
    def is_workflow(self) -> bool:
        """Whether it defines one; workers and clients of workflows do not."""
        kept = (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))
        words = [ast.unparse(it) for node in kept for it in node.decorator_list]
        return any(it.startswith("workflow.defn") for it in words)

    @property
    def is_migration(self) -> bool:
        return "/migrations/" in self.path

    def line(self, node: ast.AST) -> str:
        """Where, in the form that editors understand."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def parse(path: str, text: str) -> Module:
    return Module(path=path, text=text, tree=ast.parse(text))


def read(*packages: str, root: Path = ROOT) -> list[Module]:
    """Every file of these packages."""
    files = (file for package in packages for file in sorted((root / package).rglob("*.py")))
    return [parse(file.relative_to(root).as_posix(), file.read_text()) for file in files]
