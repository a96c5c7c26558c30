"""docker-compose.yml as Compose reads it, for the few forms that the file uses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"

# ${NAME}, ${NAME:-default} and ${NAME:?what to do}.
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<sign>[-?])(?P<words>[^}]*))?\}")


class NotSet(Exception):
    """A variable without which Compose refuses to start; the words say what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service after interpolation. `environment` holds what the container would get."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    settings: Mapping[str, Any]

    @property
    def is_ours(self) -> bool:
        return self.image.startswith("drumbeat:")

    @property
    def is_job(self) -> bool:
        return bool(self.settings["restart"].startswith("on-failure"))


def read_services(variables: Mapping[str, str]) -> dict[str, Service]:
    """Every service, with those of the profiles. Raises NotSet."""
    document = yaml.safe_load(COMPOSE.read_text())
    services = _fill_in(document["services"], variables)
    return {name: _service(name, settings, variables) for name, settings in services.items()}


def required_variables() -> dict[str, str]:
    """Name and words of each variable that has no default."""
    found = VARIABLE.finditer(COMPOSE.read_text())
    return {it["name"]: it["words"] for it in found if it["sign"] == "?"}


def optional_variables() -> dict[str, str]:
    found = VARIABLE.finditer(COMPOSE.read_text())
    return {it["name"]: it["words"] for it in found if it["sign"] == "-"}


def example_commands() -> dict[str, str]:
    """What .env.example leaves empty, with the command above it that makes a value."""
    lines = EXAMPLE.read_text().splitlines()
    return {
        line.removesuffix("="): before.removeprefix("# ")
        for before, line in pairwise(lines)
        if re.fullmatch(r"[A-Z_]+=", line)
    }


def seconds_of(span: str) -> int:
    """`110s`, `2m` or `1m30s`."""
    parts = re.findall(r"(\d+)([ms])", span)
    return sum(int(number) * {"m": 60, "s": 1}[unit] for number, unit in parts)


def _fill_in(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _fill_in(it, variables) for key, it in value.items()}
    if isinstance(value, list):
        return [_fill_in(it, variables) for it in value]
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: _value_of(match, variables), value)
    return value


def _value_of(match: re.Match[str], variables: Mapping[str, str]) -> str:
    given = variables.get(match["name"])
    if given:
        return given
    if match["sign"] == "-":
        return match["words"]
    raise NotSet(f"{match['name']}: {match['words']}")


def _service(name: str, settings: dict[str, Any], variables: Mapping[str, str]) -> Service:
    given = settings.get("environment", {})
    # A name without a value is handed on from the surroundings, or not at all.
    values = {key: variables.get(key) if value is None else value for key, value in given.items()}
    return Service(
        name=name,
        image=settings["image"],
        command=tuple(settings.get("command", ())),
        environment={key: str(value) for key, value in values.items() if value is not None},
        settings=settings,
    )
