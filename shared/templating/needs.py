"""Which variables a template needs, found without filling it in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from jinja2 import nodes

GROUPS = ("lead", "company", "product", "property", "campaign", "sender")

Guards = frozenset[tuple[str, bool]]
_MAY_BE_ABSENT = frozenset({"default", "d", "default_if_none", "length", "count"})


@dataclass(frozen=True, slots=True)
class Need:
    """`variable` must have a value where each one in `when` has a value (True) or has none.

    What depends on more than that counts as needed always.
    """

    variable: str
    when: Guards = frozenset()


@dataclass(frozen=True, slots=True)
class _Scope:
    """`aliases`: what names of the template's own stand for, None when it is no variable."""

    when: Guards
    aliases: dict[str, str | None]

    def also(self, guards: Guards) -> "_Scope":
        return replace(self, when=self.when | guards)


def find_uses(tree: nodes.Template) -> set[str]:
    """Every variable that it names, needed or not."""
    paths = (_path(node, {}) for node in tree.find_all((nodes.Getattr, nodes.Getitem)))
    found = {path for path in paths if path}
    # lead.custom.plan is meant, not lead.custom as well.
    return {p for p in found if not any(other.startswith(f"{p}.") for other in found)}


def find_needs(tree: nodes.Template) -> Iterator[Need]:
    found = _of_statements(tree.body, _Scope(frozenset(), {}))
    unique = dict.fromkeys(need for need in found if not _is_contradictory(need))
    always = {need.variable for need in unique if not need.when}
    return (need for need in unique if not need.when or need.variable not in always)


def _is_contradictory(need: Need) -> bool:
    """Asked for only where it is there, or never."""
    return (need.variable, True) in need.when or any(
        (variable, not there) in need.when for variable, there in need.when
    )


def _of_statements(body: Iterable[nodes.Node], scope: _Scope) -> Iterator[Need]:
    for node in body:
        match node:
            case nodes.Output():
                for part in node.nodes:
                    yield from _of_value(part, scope)
            case nodes.If():
                yield from _of_if(node, scope)
            case nodes.For():
                yield from _of_loop(node, scope)
            case nodes.Assign():
                yield from _of_assignment(node, scope)
            case nodes.With():
                inner = replace(scope, aliases=dict(scope.aliases))
                for target, value in zip(node.targets, node.values, strict=True):
                    yield from _of_assignment(nodes.Assign(target, value), inner)
                yield from _of_statements(node.body, inner)


def _of_if(node: nodes.If, scope: _Scope) -> Iterator[Need]:
    for branch in (node, *node.elif_):
        yield from _of_condition(branch.test, scope)
        yield from _of_statements(branch.body, scope.also(_known(branch.test, scope, holds=True)))
        scope = scope.also(_known(branch.test, scope, holds=False))
    yield from _of_statements(node.else_, scope)


def _of_loop(node: nodes.For, scope: _Scope) -> Iterator[Need]:
    path = _path(node.iter, scope.aliases)
    if not (path and node.else_):
        yield from _of_value(node.iter, scope)
    names: dict[str, str | None] = {name.name: None for name in _names(node.target)}
    names["loop"] = None
    inner = _Scope(scope.when | ({(path, True)} if path else set()), scope.aliases | names)
    if node.test is not None:
        yield from _of_condition(node.test, inner)
    yield from _of_statements(node.body, inner)
    yield from _of_statements(node.else_, scope.also(frozenset({(path, False)} if path else ())))


def _of_assignment(node: nodes.Assign, scope: _Scope) -> Iterator[Need]:
    """A variable may be absent where it is given a name, and not where that is printed."""
    path = _path(node.node, scope.aliases)
    if not path:
        yield from _of_value(node.node, scope)
    for name in _names(node.target):
        scope.aliases[name.name] = path


def _of_value(node: nodes.Node, scope: _Scope) -> Iterator[Need]:
    """Where the value itself is used, so that it must be there."""
    if path := _path(node, scope.aliases):
        yield Need(path, scope.when)
        return
    match node:
        case nodes.Filter(name=name) if name in _MAY_BE_ABSENT and node.node is not None:
            inner = _path(node.node, scope.aliases)
            if not inner:
                yield from _of_value(node.node, scope)
            instead = scope.also(frozenset({(inner, False)} if inner else ()))
            for argument in node.args:
                yield from _of_value(argument, instead)
        case nodes.Or():
            yield from _of_condition(node.left, scope)
            yield from _of_value(node.right, scope.also(_known(node.left, scope, holds=False)))
        case nodes.CondExpr():
            yield from _of_condition(node.test, scope)
            yield from _of_value(node.expr1, scope.also(_known(node.test, scope, holds=True)))
            if node.expr2 is not None:
                yield from _of_value(node.expr2, scope.also(_known(node.test, scope, holds=False)))
        case nodes.Test(name="defined" | "undefined"):
            return
        case nodes.Not():
            yield from _of_condition(node.node, scope)
        case _:
            for child in node.iter_child_nodes():
                yield from _of_value(child, scope)


def _of_condition(node: nodes.Node, scope: _Scope) -> Iterator[Need]:
    """Where it is only asked whether something is there."""
    match node:
        case nodes.And():
            yield from _of_condition(node.left, scope)
            yield from _of_condition(node.right, scope.also(_known(node.left, scope, holds=True)))
        case nodes.Or():
            yield from _of_condition(node.left, scope)
            yield from _of_condition(node.right, scope.also(_known(node.left, scope, holds=False)))
        case nodes.Not():
            yield from _of_condition(node.node, scope)
        case _ if not _path(node, scope.aliases):
            yield from _of_value(node, scope)


def _known(node: nodes.Node, scope: _Scope, *, holds: bool) -> Guards:
    """What is known where the condition holds, or else where it does not."""
    if path := _path(node, scope.aliases):
        return frozenset({(path, holds)})
    match node:
        # Both parts of "and" hold with it, and both of "or" fail with it.
        case nodes.And() if holds:
            return _known(node.left, scope, holds=True) | _known(node.right, scope, holds=True)
        case nodes.Or() if not holds:
            return _known(node.left, scope, holds=False) | _known(node.right, scope, holds=False)
        case nodes.Not():
            return _known(node.node, scope, holds=not holds)
        case nodes.Test(name="defined" | "undefined" as name):
            path = _path(node.node, scope.aliases)
            return frozenset({(path, (name == "defined") == holds)} if path else ())
    return frozenset()


def _path(node: nodes.Node | None, aliases: dict[str, str | None]) -> str | None:
    """lead.custom.plan, however it is written; None when this is no variable."""
    parts: list[str] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getattr):
            parts.append(node.attr)
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            parts.append(node.arg.value)
        elif parts:
            return None
        elif isinstance(node.arg, nodes.Const):
            pass  # an item of the list needs the list
        else:
            return None
        node = node.node
    if not isinstance(node, nodes.Name):
        return None
    root = aliases.get(node.name, node.name)
    is_whole = root is not None and "." not in root and not parts
    return None if root is None or is_whole else ".".join((root, *reversed(parts)))


def _names(target: nodes.Node) -> Iterator[nodes.Name]:
    if isinstance(target, nodes.Name):
        yield target
    else:
        yield from target.find_all(nodes.Name)
