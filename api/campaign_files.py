"""A campaign as a file: `read_campaign` and `write_campaign`. YAML for people and for git."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from uuid import UUID, uuid5

from pydantic import ValidationError

from api.schemas.campaign_file import CampaignFile
from api.trees import to_nodes
from api.yaml_texts import Document, NotYaml, Part, read_yaml, write_yaml
from shared.db.repositories.versions import ACTIVITY_OF
from shared.domain.channels import Channel
from shared.domain.definition import GuardedStep, Node, flatten
from shared.domain.linting import Problem
from shared.domain.recipient import Step
from shared.errors import Invalid

SCHEMA_PATH = "/schemas/campaign.json"
# Of a campaign that is in no database: its steps have the same ids whenever the file is read.
_NOWHERE = UUID("8a3d2a9e-6f0c-5d57-9b7e-0d1c6c2f5a11")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileError:
    """One thing that is wrong: where, what, and what would help. Line and column from 1."""

    line: int
    column: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.field or 'file'}: {self.message}"


class NotACampaign(Invalid):
    """The file cannot be read as a campaign; `errors` has every reason, with its place."""

    def __init__(self, errors: tuple[FileError, ...]) -> None:
        super().__init__(str(errors[0]), field=errors[0].field)
        self.errors = errors

    @property
    def named(self) -> list[tuple[str, str]]:
        """For answers over HTTP."""
        return [(e.field, f"line {e.line}, column {e.column}: {e.message}") for e in self.errors]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCampaign:
    """A file that has the right shape, and the line of everything in it."""

    body: CampaignFile
    document: Document

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Its tree of steps, as a campaign of this name would have it."""
        return self.nodes_in(uuid5(_NOWHERE, self.body.name))

    @property
    def steps(self) -> tuple[Step, ...]:
        """As the engine decides on them."""
        campaign_id = uuid5(_NOWHERE, self.body.name)
        flat = flatten(self.nodes, campaign_id=campaign_id)
        return tuple(_to_step(one, position) for position, one in enumerate(flat, start=1))

    def nodes_in(
        self, campaign_id: UUID, known: Mapping[str, UUID] | None = None
    ) -> tuple[Node, ...]:
        """`known`: the ids of keys that the campaign has. Raises NotACampaign."""
        try:
            return to_nodes(self.body.steps, campaign_id=campaign_id, known=known)
        except Invalid as error:
            raise self.refusal(error) from None

    def refusal(self, error: Invalid) -> NotACampaign:
        """The same, with its line."""
        place = tuple(_part(part) for part in error.field.split("."))
        return NotACampaign((self._error(place, str(error)),))

    def locate(self, problem: Problem) -> FileError:
        """The line that a problem is about."""
        return self._error(problem.place, problem.text)

    def _error(self, place: tuple[Part, ...], message: str) -> FileError:
        return _error_at(self.document, place, message)


def read_campaign(text: str) -> ReadCampaign:
    """Raises NotACampaign."""
    try:
        document = read_yaml(text)
    except NotYaml as error:
        found = FileError(line=error.line, column=error.column, field="", message=str(error))
        raise NotACampaign((found,)) from None
    if not isinstance(document.value, Mapping):
        message = "A campaign has fields, such as name and steps: see its JSON Schema"
        raise NotACampaign((FileError(line=1, column=1, field="", message=message),))
    try:
        body = CampaignFile.model_validate(document.value)
    except ValidationError as error:
        errors = (
            _error_at(document, found["loc"], _words(found))
            for found in error.errors(include_url=False)
        )
        raise NotACampaign(tuple(sorted(errors, key=lambda it: (it.line, it.column)))) from None
    read = ReadCampaign(body=body, document=document)
    _ = read.nodes
    return read


def write_campaign(fields: Mapping[str, Any], *, schema_url: str = SCHEMA_PATH) -> str:
    """`fields`: of a `CampaignFile`, in the order in which they are read."""
    return write_yaml(fields, heading=f"yaml-language-server: $schema={schema_url}")


def campaign_schema() -> dict[str, Any]:
    """The JSON Schema of such a file (draft 2020-12)."""
    schema = CampaignFile.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_PATH,
        **schema,
        "title": "A campaign of Drumbeat",
    }


def _to_step(guarded: GuardedStep, position: int) -> Step:
    step = guarded.step
    return Step(
        id=step.id,
        position=position,
        activity=ACTIVITY_OF[step.channel],
        wait_seconds=int(step.delay.span.total_seconds()),
        wait_business_days=step.delay.business_days,
        on_date=step.delay.on_date,
        channel=step.channel,
        guards=guarded.guards,
        is_by_hand=step.is_by_hand and step.channel is not Channel.TASK,
        name=step.key,
    )


def _error_at(document: Document, place: tuple[Part, ...], message: str) -> FileError:
    # What stands in parentheses is which of several kinds was meant, and no field.
    fields = tuple(part for part in place if not str(part).startswith("("))
    line, column = document.where(fields)
    field = ".".join(str(part) for part in fields)
    return FileError(line=line, column=column, field=field, message=message)


def _words(found: Any) -> str:
    match found["type"]:
        case "extra_forbidden":
            return _typing_error(str(found["loc"][-1]))
        case "missing":
            return "This field is missing: add it"
        case "model_attributes_type" | "model_type" | "dict_type":
            return "Fields are expected here, such as `key: value`"
    return str(found["msg"])


def _typing_error(name: str) -> str:
    known = {field for model in _models() for field in model["properties"]} - {name}
    nearest = get_close_matches(name, sorted(known), n=1)
    meant = f": did you mean `{nearest[0]}`?" if nearest else ": look for a typing error"
    return f"There is no field {name}{meant}"


def _models() -> list[dict[str, Any]]:
    schema = campaign_schema()
    return [schema, *(it for it in schema["$defs"].values() if "properties" in it)]


def _part(text: str) -> Part:
    return int(text) if text.isdigit() else text
