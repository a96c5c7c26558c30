"""From a template's text to what can be filled in, or to the place where it is wrong."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer

from shared.templating.bounds import BUDGET, LONGEST_TEMPLATE, Budget, Fields
from shared.templating.language import ITEMS, TOGETHER, Language
from shared.templating.needs import Need, find_needs, find_uses

MOST_NODES = 5_000
DEEPEST = 40
DEEPEST_LOOPS = 2
# Each template of a version is compiled once in a process; the bound keeps a long life small.
MOST_KEPT = 2_000

_NEW_LINE = re.compile(r"\r\n?|\n")
_HTML = re.compile(
    r"(?i)<(?:!doctype\s+html|/?(?:html|head|body|style|p|div|span|br|hr|a|b|i|u|em|strong|font"
    r"|img|table|tbody|thead|tr|td|th|ul|ol|li|h[1-6]|center|blockquote|pre|section)(?=[\s/>]))[^<>{}]*"
    r"(?:>|\{[{%])"
)
_STATEMENTS = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign),
    *(nodes.With, nodes.Name, nodes.NSRef, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Slice),
    *(nodes.Filter, nodes.Test, nodes.Keyword, nodes.CondExpr, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.List, nodes.Tuple, nodes.Neg, nodes.Pos),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod),
)
# Written as methods in Jinja, and safe as filters.
_METHODS = {name: name for name in ("upper", "lower", "title", "capitalize")} | {"strip": "trim"}


class Unreadable(Exception):
    """A template that is wrong, at a line and a column from 1."""

    def __init__(self, message: str, *, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.line, self.column = line, column


@dataclass(frozen=True, slots=True)
class Compiled:
    """`needs`: what must have a value. `uses`: every variable that it names."""

    template: Template
    is_html: bool
    needs: tuple[Need, ...]
    uses: frozenset[str]

    def fill_in(self, values: Mapping[str, Mapping[str, Any]]) -> str:
        """Raises jinja2.TemplateError."""
        known: dict[str, Any] = {name: Fields(name, group) for name, group in values.items()}
        known[BUDGET] = Budget()
        return self.template.render(known)


@lru_cache(maxsize=MOST_KEPT)
def compiled(source: str, *, is_line: bool = False) -> Compiled:
    """Compile a template; `is_line`: of a subject, which is never HTML. Raises Unreadable."""
    text = "\n".join(_NEW_LINE.split(source))
    if len(text) > LONGEST_TEMPLATE:
        message = f"it is longer than {LONGEST_TEMPLATE} characters"
        raise Unreadable(message, line=1, column=1)
    is_html = not is_line and _HTML.search(text) is not None
    language = _HTML_LANGUAGE if is_html else _TEXT_LANGUAGE
    try:
        tree = language.parse(text)
        _check(tree, language)
        tree = _Methods().visit(tree)
        needs, uses = tuple(find_needs(tree)), frozenset(find_uses(tree))
        code = language.compile(_Meters().visit(tree))
    except TemplateSyntaxError as error:
        raise _at(text, error.lineno, error.message or "it cannot be read") from None
    except (RecursionError, MemoryError, SyntaxError):
        raise Unreadable("it is nested too deeply", line=1, column=1) from None
    except ValueError:
        raise Unreadable("it holds a number that cannot be read", line=1, column=1) from None
    template = Template.from_code(language, code, {}, None)
    return Compiled(template, is_html, needs, uses)


_TEXT_LANGUAGE = Language(is_html=False)
_HTML_LANGUAGE = Language(is_html=True)


def _at(text: str, place: int, message: str) -> Unreadable:
    before = text[:place]
    line, column = before.count("\n") + 1, place - (before.rfind("\n") + 1) + 1
    return Unreadable(message.rstrip("."), line=line, column=column)


def _check(tree: nodes.Template, language: Language) -> None:
    """Raises TemplateSyntaxError for what a template may not do."""
    count = 0
    place = 0
    stack: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    while stack:
        node, depth, loops = stack.pop()
        count += 1
        loops += isinstance(node, nodes.For)
        # Not every node of Jinja's knows where it stands.
        place = node.lineno if node.lineno is not None else place
        if count > MOST_NODES or depth > DEEPEST or loops > DEEPEST_LOOPS:
            raise TemplateSyntaxError("it is too large or nested too deeply here", place)
        children = _method_target(node) or list(node.iter_child_nodes())
        if not _method_target(node):
            _check_node(node, language)
        stack.extend((child, depth + 1, loops) for child in children)


def _check_node(node: nodes.Node, language: Language) -> None:
    message = None
    match node:
        case nodes.Call():
            message = "a template calls nothing: use a filter"
        case nodes.For(recursive=True):
            message = "a loop cannot be recursive"
        case nodes.Filter(name=name) if name not in language.filters or node.node is None:
            message = f"there is no filter named {name!r}"
        case nodes.Test(name=name) if name not in language.tests:
            message = f"there is no test named {name!r}"
        case nodes.List(items=items) | nodes.Tuple(items=items, ctx="load"):
            if not all(isinstance(item, nodes.Const) for item in items):
                message = "a list holds texts and numbers only"
        case nodes.Filter() | nodes.Test() if node.dyn_args or node.dyn_kwargs:
            message = "a filter's arguments are written out"
        case nodes.Assign() if not isinstance(node.target, nodes.Name):
            message = "a value is given to one name"
        case _ if not isinstance(node, _STATEMENTS):
            message = f"a template cannot use this: {type(node).__name__.lower()}"
    if message:
        raise TemplateSyntaxError(message, node.lineno)


def _method_target(node: nodes.Node) -> list[nodes.Node]:
    """What `name.upper()` is about; nothing when this is no such call."""
    is_method = (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Getattr)
        and node.node.attr in _METHODS
        and not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs)
    )
    return [node.node.node] if is_method else []  # type: ignore[attr-defined]  # looked at above


class _Methods(NodeTransformer):
    """Makes filters of the few methods that are let through."""

    def visit_Call(self, node: nodes.Call) -> nodes.Filter:  # noqa: N802 - named after the node
        assert isinstance(node.node, nodes.Getattr)  # noqa: S101 - nothing else is let through
        name = _METHODS[node.node.attr]
        self.generic_visit(node)
        return _filter(node.node.node, name)


class _Meters(NodeTransformer):
    """Puts a meter where Jinja itself has none."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - named after the node
        cost = sum(1 for _ in _below(node))
        self.generic_visit(node)
        arguments: list[nodes.Expr] = [nodes.Const(cost), nodes.Const(bool(node.else_))]
        node.iter = nodes.Filter(node.iter, ITEMS, arguments, [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802 - named after the node
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), TOGETHER)


def _filter(value: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(value, name, [], [], None, None, lineno=value.lineno)


def _below(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _below(child)
