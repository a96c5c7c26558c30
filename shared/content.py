"""Turns a step's template into the words that one lead gets.

Strict: a variable without a value is an error and never a hole. `shared/templating` has the
language; this is its door.
"""

from collections.abc import Mapping
from typing import Any

from jinja2.exceptions import TemplateError

from shared.errors import DrumbeatError, Invalid
from shared.templating.compiling import Compiled, Unreadable, compiled

Values = Mapping[str, Mapping[str, Any]]

_LONGEST_REASON = 300


class MissingVariable(DrumbeatError):
    """A template asks for what this lead does not have. The message names it."""


def read_template(template: str, *, field: str, is_line: bool = False) -> Compiled:
    """What the template is made of. Raises Invalid, with line and column, for a wrong one."""
    try:
        return compiled(template, is_line=is_line)
    except Unreadable as error:
        raise Invalid(f"{error}: correct the template", field=field) from None


def check_template(template: str, *, field: str) -> None:
    """Raise Invalid, with line and column, when a template cannot be read."""
    read_template(template, field=field, is_line=field == "subject")


def render(template: str, variables: Values, *, is_line: bool = False) -> str:
    """Fill in a template. Raises MissingVariable, naming what has no value."""
    return fill_in(read_template(template, field="template", is_line=is_line), variables)


def fill_in(template: Compiled, variables: Values) -> str:
    """Raises MissingVariable, naming what has no value or does not fit."""
    try:
        return template.fill_in(variables)
    except TemplateError as error:
        reason = (error.message or "it does not fit this lead")[:_LONGEST_REASON]
        raise MissingVariable(f"The template cannot be filled in: {reason}") from None
    except (TypeError, ValueError, ArithmeticError, RecursionError):
        # What plain operators say: a text compared with a number, a remainder of zero.
        reason = "it puts values together that do not fit"
        raise MissingVariable(f"The template cannot be filled in: {reason}") from None
