"""Turns a step's template into the words that one lead gets.

Jinja2, sandboxed and strict: a variable without a value is an error and never a hole.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError
from jinja2.exceptions import TemplateError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from shared.errors import DrumbeatError, Invalid

VARIABLES = ("lead", "company", "campaign", "sender")


class MissingVariable(DrumbeatError):
    """A template asks for what this lead does not have. The message names it."""


class _Missing(StrictUndefined):
    """May be asked whether it is there, and nothing else."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]  # only this question has an answer
        return False


_ENVIRONMENT = SandboxedEnvironment(undefined=_Missing, autoescape=False)


def check_template(template: str, *, field: str) -> None:
    """Raise Invalid, with the line, when a template cannot be read."""
    try:
        _compile(template)
    except TemplateSyntaxError as error:
        raise Invalid(f"line {error.lineno}: {error.message}", field=field) from None


def render(template: str, variables: Mapping[str, Mapping[str, Any]]) -> str:
    """Fill in a template. Raises MissingVariable, naming what has no value."""
    known = {name: _known(fields) for name, fields in variables.items()}
    try:
        return _compile(template).render(known)
    except UndefinedError as error:
        raise MissingVariable(f"The template needs a value: {error.message}") from None
    except TemplateError as error:
        raise MissingVariable(f"The template cannot be filled in: {error.message}") from None


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have a value: the others count as missing."""
    return {
        name: _known(value) if isinstance(value, dict) else value
        for name, value in fields.items()
        if value is not None and value != ""
    }


@lru_cache(maxsize=2_000)
def _compile(template: str) -> Template:
    return _ENVIRONMENT.from_string(template)
