"""YAML 1.2 with the line of each value. No anchors, no tags, no dates: what JSON could say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

MOST_CHARACTERS = 1_000_000
DEEPEST = 200
_OPENS = (MappingStartEvent, SequenceStartEvent)
_CLOSES = (MappingEndEvent, SequenceEndEvent)
_TIMESTAMP = "tag:yaml.org,2002:timestamp"

Part = str | int
# Line ends to YAML, which only quotation marks keep as they are.
_OTHER_LINE_ENDS = frozenset("\x85\u2028\u2029")


class NotYaml(Exception):
    """The text cannot be read at this line and column, both from 1."""

    def __init__(self, message: str, *, line: int, column: int) -> None:
        super().__init__(message)
        self.line, self.column = line, column


@dataclass(frozen=True, slots=True)
class Document:
    """`value` is made of what JSON has."""

    value: Any

    def where(self, place: Sequence[Part]) -> tuple[int, int]:
        """Line and column of what is there, or of the nearest thing around it."""
        here, at = self.value, _start_of(self.value)
        for part in place:
            if isinstance(here, CommentedMap) and part in here:
                at = here.lc.key(part)
            elif isinstance(here, CommentedSeq) and _is_inside(part, here):
                at = here.lc.item(part)
            else:
                continue
            here = here[part]
        return at[0] + 1, at[1] + 1


class _Constructor(RoundTripConstructor):
    """Dates stay texts: who reads them knows which kind is meant."""


_Constructor.add_constructor(_TIMESTAMP, RoundTripConstructor.construct_scalar)


def read_yaml(text: str) -> Document:
    """Raises NotYaml."""
    if len(text) > MOST_CHARACTERS:
        raise NotYaml(f"More than {MOST_CHARACTERS} characters are not read", line=1, column=1)
    try:
        _refuse_tricks(text)
        yaml = YAML(typ="rt", pure=True)
        yaml.Constructor = _Constructor
        return Document(yaml.load(text))
    except MarkedYAMLError as error:
        line, column = _spot(error.problem_mark or error.context_mark)
        what = error.problem or error.context or "it is broken"
        raise NotYaml(f"This is no YAML: {what}", line=line, column=column) from None
    except YAMLError as error:
        raise NotYaml(f"This is no YAML: {error}", line=1, column=1) from None


def write_yaml(value: Mapping[str, Any], *, heading: str) -> str:
    """`heading`: lines of comment above it."""
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 1_000_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    written = StringIO()
    yaml.dump(_readable(value), written)
    comment = "".join(f"# {line}\n" for line in heading.splitlines())
    return comment + written.getvalue()


def _refuse_tricks(text: str) -> None:
    """What makes a short text large, or runs away with the reader."""
    depth = 0
    for event in YAML(typ="rt", pure=True).parse(text):
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            line, column = _spot(event.start_mark)
            raise NotYaml("Anchors are not read: write it out", line=line, column=column)
        if isinstance(event, NodeEvent) and getattr(event, "tag", None):
            line, column = _spot(event.start_mark)
            raise NotYaml("Tags are not read: leave it out", line=line, column=column)
        depth += isinstance(event, _OPENS) - isinstance(event, _CLOSES)
        if depth > DEEPEST:
            line, column = _spot(event.start_mark)
            raise NotYaml("It is nested too deep", line=line, column=column)


def _readable(value: Any) -> Any:
    """Texts of several lines as blocks, where a block can say the same."""
    if isinstance(value, Mapping):
        return {name: _readable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_readable(inner) for inner in value]
    if isinstance(value, str) and _OTHER_LINE_ENDS & set(value):
        return DoubleQuotedScalarString(value)
    if isinstance(value, str) and _fits_a_block(value):
        return LiteralScalarString(value)
    return value


def _fits_a_block(text: str) -> bool:
    lines = text.split("\n")
    return (
        len(lines) > 1
        and lines[0].strip() != ""
        and not lines[0].startswith((" ", "#"))
        and not any(line != line.rstrip() for line in lines)
        and all(line.isprintable() for line in lines)
    )


def _start_of(value: Any) -> tuple[int, int]:
    return (
        (value.lc.line, value.lc.col) if isinstance(value, CommentedMap | CommentedSeq) else (0, 0)
    )


def _is_inside(part: Part, items: Sequence[Any]) -> bool:
    return isinstance(part, int) and 0 <= part < len(items)


def _spot(mark: StringMark | None) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
