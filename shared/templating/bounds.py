"""How much one rendering may do. Work is counted, so the same template always ends the same."""

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2.exceptions import TemplateRuntimeError
from jinja2.runtime import Context, Undefined

LONGEST_TEMPLATE = 100_000
LONGEST_OUTPUT = 200_000
LONGEST_VALUE = 20_000
LARGEST_NUMBER = 10**18
MOST_WORK = 50_000
# A filter's work grows with what it is given.
_CHARACTERS_PER_UNIT = 100

# Not a name that a template could write.
BUDGET = "the budget"


class TooMuch(TemplateRuntimeError):
    """The template goes beyond a bound."""


class Unfit(TemplateRuntimeError):
    """A value is not of the kind that is needed here."""


class Budget:
    """What is left of the work that one rendering may do."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_WORK

    def spend(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise TooMuch("It does too much for one message: use fewer or shorter loops")


def spend(context: Context, values: Iterable[Any], *, units: int = 1) -> None:
    """Pay for working on these values."""
    sizes = (len(value) for value in values if isinstance(value, str | list | tuple))
    budget: Budget = context.parent[BUDGET]
    budget.spend(units + sum(sizes) // _CHARACTERS_PER_UNIT)


def bounded(value: Any) -> Any:
    """The value itself. Raises TooMuch when it has grown too long or too large."""
    if isinstance(value, str | list | tuple) and len(value) > LONGEST_VALUE:
        raise TooMuch(f"A value in it grows beyond {LONGEST_VALUE} characters")
    if isinstance(value, int | float) and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise TooMuch("A number in it is too large")
    return value


def concatenated(pieces: Iterable[str]) -> str:
    """The whole output, piece by piece, until it is too long."""
    kept, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > LONGEST_OUTPUT:
            raise TooMuch(f"It comes out longer than {LONGEST_OUTPUT} characters")
        kept.append(piece)
    return "".join(kept)


def calculated(operator: str, left: Any, right: Any) -> Any:
    """Arithmetic with numbers; a plus also joins two texts."""
    # An absent value says so itself.
    for operand in (left, right):
        if isinstance(operand, Undefined):
            str(operand)
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return bounded(left + right)
    left, right = _calculable(left), _calculable(right)
    try:
        match operator:
            case "+":
                return bounded(left + right)
            case "-":
                return bounded(left - right)
            case "*":
                return bounded(left * right)
            case "/":
                return bounded(left / right)
            case "//":
                return bounded(left // right)
            case _:
                return bounded(left % right)
    except ZeroDivisionError:
        raise Unfit("It divides by zero") from None


def _calculable(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return bounded(value)  # type: ignore[no-any-return]  # what comes in comes out
    raise Unfit("It calculates with something that is no number: use ~ to join texts")


class Fields:
    """A group of variables by its path; what has no value counts as absent."""

    __slots__ = ("path", "values")

    def __init__(self, path: str, values: Mapping[str, Any]) -> None:
        self.path = path
        self.values = values


def has_value(value: Any) -> bool:
    """Whether there is something to print; zero and False are values."""
    return value is not None and value != "" and value != [] and value != {}
