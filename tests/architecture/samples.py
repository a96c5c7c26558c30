"""A value for every field of a message, so that nothing is carried only by luck."""

import dataclasses
import importlib
import pkgutil
import types
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from shared import contracts
from shared.domain.recipient import Finished, Parked, Planned

OUTCOMES: tuple[type, ...] = (Planned, Parked, Finished)


class NotCarried(Exception):
    """A type that Temporal's converter does not bring back as it was."""


def messages() -> list[type]:
    """Every dataclass of shared/contracts, and the three outcomes."""
    found = dict.fromkeys(OUTCOMES)
    for file in pkgutil.iter_modules(contracts.__path__):
        module = importlib.import_module(f"{contracts.__name__}.{file.name}")
        for member in vars(module).values():
            if dataclasses.is_dataclass(member) and isinstance(member, type):
                found[member] = None
    return list(found)


def is_message_shaped(message: Any) -> bool:
    """Frozen, slotted and keyword-only."""
    form = message.__dataclass_params__
    named = all(field.kw_only for field in dataclasses.fields(message))
    return bool(form.frozen and named and "__slots__" in vars(message))


def samples(message: Any) -> Iterator[Any]:
    """One with everything set, one with as little as possible, and each member of an enum."""
    hints = get_type_hints(message)
    fields = dataclasses.fields(message)
    full = {field.name: _values(hints[field.name])[0] for field in fields}
    yield message(**full)
    yield message(**{field.name: full[field.name] for field in fields if _is_needed(field)})
    for field in fields:
        for value in _values(hints[field.name])[1:]:
            yield message(**full | {field.name: value})


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _values(hint: Any) -> list[Any]:
    """Values of a type, the fullest one first. Raises NotCarried."""
    plain: dict[Any, list[Any]] = {
        str: ["words, \u00e4 and \U0001f941", ""],
        int: [7, 0],
        bool: [True, False],
        float: [0.1],
        UUID: [UUID(int=7)],
        datetime: [datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=UTC)],
        types.NoneType: [None],
    }
    if hint in plain:
        return plain[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return list(samples(hint))
    return _composed(hint)


def _composed(hint: Any) -> list[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return list(arguments)
    if origin in {Union, types.UnionType}:
        return [value for argument in arguments for value in _values(argument)]
    if origin is tuple and arguments[1:] == (...,):
        return [tuple(_values(arguments[0])[:2]), ()]
    raise NotCarried(
        f"{hint} is no type of a message: use ids, enums, whole seconds, tuples and other messages"
    )
