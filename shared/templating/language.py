"""The language itself: Jinja's without calls, with Django's way of writing a filter's argument."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes, pass_context
from jinja2.exceptions import UndefinedError
from jinja2.lexer import TokenStream
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import SandboxedEnvironment

from shared.templating.bounds import (
    BUDGET,
    Budget,
    Fields,
    Unfit,
    bounded,
    calculated,
    concatenated,
    has_value,
    spend,
)
from shared.templating.filters import FILTERS, joined, shown

# Written by the compiler only: no template can spell them.
ITEMS, TOGETHER = "items of a loop", "texts together"

TESTS = frozenset(
    {"defined", "undefined", "none", "string", "number", "odd", "even", "divisibleby"}
    | {"in", "eq", "equalto", "==", "ne", "!=", "gt", ">", "ge", ">=", "lt", "<", "le", "<="}
    | {"true", "false", "sequence", "greaterthan", "lessthan"}
)
_OF_A_LOOP = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth"}
)
_BEHIND_A_COLON = frozenset({"string", "integer", "float", "name"})


class Absent(StrictUndefined):
    """May be asked whether it is there, and nothing else."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]  # only this question has an answer
        return False


class _Parser(Parser):
    """Understands `value|filter:argument`."""

    def parse_filter(
        self, node: nodes.Expr | None, start_inline: bool = False
    ) -> nodes.Expr | None:
        while start_inline or self.stream.current.type == "pipe":
            if not start_inline:
                next(self.stream)
            start_inline = False
            name = self.stream.expect("name")
            arguments: list[nodes.Expr] = []
            named: list[nodes.Keyword] = []
            if self.stream.current.type == "lparen":
                arguments, named, more, rest = self.parse_call_args()
                if more is not None or rest is not None:
                    self.fail("a filter's arguments are written out", name.lineno)
            elif self.stream.skip_if("colon"):
                arguments = [self._parse_argument()]
            node = nodes.Filter(node, name.value, arguments, named, None, None, lineno=name.lineno)
        return node

    def _parse_argument(self) -> nodes.Expr:
        is_negative = self.stream.skip_if("sub")
        if self.stream.current.type not in _BEHIND_A_COLON:
            self.fail("a text, a number or a variable is expected behind the colon")
        argument = self.parse_postfix(self.parse_primary())
        return nodes.Neg(argument, lineno=argument.lineno) if is_negative else argument


class Language(SandboxedEnvironment):
    """`is_html`: values are escaped, so that no lead's field can bring markup of its own."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    concat = staticmethod(concatenated)

    def __init__(self, *, is_html: bool) -> None:
        super().__init__(undefined=Absent, autoescape=is_html, finalize=shown, cache_size=0)
        self.globals = {}
        self.filters = {name: _metered(function) for name, function in FILTERS.items()}
        self.filters |= {ITEMS: _items_of_a_loop, TOGETHER: _metered(joined)}
        self.tests = {name: self.tests[name] for name in TESTS}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        spend(context, (left, right))
        return calculated(operator, left, right)

    def call(self, *_: Any, **__: Any) -> NoReturn:
        raise Unfit("A template calls nothing")

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self._member(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, str | list | tuple) and isinstance(argument, int | slice):
            try:
                return obj[argument]
            except IndexError:
                return self.undefined("It asks for an item that the list does not have")
        return self._member(obj, argument)

    def _member(self, obj: Any, name: Any) -> Any:
        if isinstance(obj, Fields):
            return self._field(obj.values, name, f"{obj.path}.{name}")
        if isinstance(obj, Mapping):
            return self._field(obj, name, str(name))
        if isinstance(obj, LoopContext) and name in _OF_A_LOOP:
            return getattr(obj, name)
        if isinstance(obj, Undefined):
            # Raises, and names what is missing already.
            str(obj)
        return self.undefined(f"There is nothing named {name!s:.60} in this value")

    def _field(self, values: Mapping[str, Any], name: Any, path: str) -> Any:
        value = values.get(name)
        if not has_value(value):
            return self.undefined(f"{path:.200} has no value")
        return Fields(path, value) if isinstance(value, Mapping) else value

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return _Parser(self, source, name, filename).parse()

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        """Where a token stands is kept in place of its line, so that errors know the column."""
        placed = self._placed(source, state)
        return TokenStream(self.lexer.wrap(placed, name, filename), name, filename)

    def _placed(self, source: str, state: str | None) -> Iterator[tuple[int, str, str]]:
        end = 0
        try:
            for _, kind, value in self.lexer.tokeniter(source, None, None, state):
                # What lies between two tokens is space that was left out.
                start = source.index(value, end)
                end = start + len(value)
                yield start, kind, value
        except TemplateSyntaxError as error:
            rest = source[end:]
            place = end + len(rest) - len(rest.lstrip())
            message = (error.message or "").split(" at ")[0]
            raise TemplateSyntaxError(message, min(place, len(source))) from None


def _metered(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that pays for its work, and whose result stays small."""

    @pass_context
    def metered(context: Context, value: Any, *arguments: Any, **named: Any) -> Any:
        spend(context, (value, *arguments, *named.values()))
        try:
            return bounded(function(value, *arguments, **named))
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise Unfit("A filter was given what it cannot work with") from error

    return metered


@pass_context
def _items_of_a_loop(context: Context, value: Any, cost: int, may_be_absent: bool) -> Any:
    """What a loop goes through, all of it paid for before it begins."""
    if isinstance(value, Undefined):
        if may_be_absent:
            return ()
        raise UndefinedError(value._undefined_message)
    if not isinstance(value, list | tuple):
        raise Unfit("It goes through something that is no list")
    budget: Budget = context.parent[BUDGET]
    budget.spend(cost * len(value))
    return value
