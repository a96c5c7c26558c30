"""Kinds of fields that several bodies share. Their messages are shown to the caller."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.importing.addresses import NoAddress, normal_email

LARGEST_JSON = 500


class Body(BaseModel):
    """A request body. What it does not know is refused, but for what was read and comes back."""

    model_config = ConfigDict(extra="forbid")

    read_only: ClassVar[frozenset[str]] = frozenset()
    # Fields of the contract that this release cannot honour, so only their "off" is accepted.
    not_yet: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _leave_out(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        off = {name for name in cls.not_yet & values.keys() if values[name] in _OFF}
        return {n: v for n, v in values.items() if n not in cls.read_only and n not in off}


_OFF: tuple[object, ...] = (None, False, [], {})


class Answer(BaseModel):
    """A response, read from a row's attributes."""

    model_config = ConfigDict(from_attributes=True)


def wrong(message: str) -> PydanticCustomError:
    """What a validator raises: pydantic adds the field, and no prefix."""
    return PydanticCustomError("invalid", "{text}", {"text": message})


@dataclass(frozen=True, slots=True)
class Like:
    """Text of a form that the document gives as an expression, and an error in words."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"pattern": self.pattern}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise wrong(self.words)
        return value


def storable(value: str) -> str:
    if "\x00" in value:
        raise wrong("Postgres cannot store the character NUL: leave it out")
    return value


def one_line(value: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise wrong("Use one line without control characters")
    return value


def storable_json(value: Any, *, depth: int = 0) -> Any:
    """Check every text inside, which pydantic leaves alone where anything is allowed."""
    if isinstance(value, str):
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise wrong("Use Unicode text without lone surrogates") from None
        return storable(value)
    if depth > 5:
        raise wrong("Nest at most five levels deep")
    if isinstance(value, Mapping):
        inside: list[Any] = [*value.keys(), *value.values()]
    else:
        inside = value if isinstance(value, list) else []
    if len(inside) > LARGEST_JSON:
        raise wrong(f"Use at most {LARGEST_JSON // 2} entries")
    for part in inside:
        storable_json(part, depth=depth + 1)
    return value


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise wrong("This cannot be emptied: leave it out, or give a value")
    return value


def _normal_email(value: str) -> str:
    try:
        return normal_email(value)
    except NoAddress as error:
        raise wrong(str(error)) from None


def _in_our_times(value: datetime) -> datetime:
    """So that there is a time before it and after it, in every zone."""
    if not 1900 <= value.year <= 2999:
        raise wrong("Use a year from 1900 to 2999")
    return value


def _known_zone(value: str) -> str:
    if value not in available_timezones():
        raise wrong("Use an IANA time zone such as Europe/Paris")
    return value


class _NotNull(AfterValidator):
    """Says so in the document as well."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
        if len(kinds) > 1:
            schema["anyOf"] = kinds
        return {**kinds[0], **schema} if len(kinds) == 1 else schema


# Behind `| None = None` in an update: may be left out, may not be null.
NotNull = _NotNull(_refuse_null)
# Neither "yes" nor 1: what is no flag is a mistake.
Flag = Annotated[bool, Field(strict=True)]
Short = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=300),
    AfterValidator(storable),
    AfterValidator(one_line),
]
Long = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(storable)]
Words = Annotated[
    str, StringConstraints(min_length=1, max_length=100_000), AfterValidator(storable)
]
Email = Annotated[
    str,
    StringConstraints(max_length=320),
    AfterValidator(storable),
    AfterValidator(_normal_email),
    Field(examples=["ada@example.com"]),
]
TimeZone = Annotated[
    str, StringConstraints(max_length=100), AfterValidator(_known_zone), Field(examples=["UTC"])
]
Instant = Annotated[AwareDatetime, AfterValidator(_in_our_times)]
Custom = Annotated[dict[str, Any], AfterValidator(storable_json)]
Records = Annotated[list[dict[str, Any]], Field(max_length=200), AfterValidator(storable_json)]
