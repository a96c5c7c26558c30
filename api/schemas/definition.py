"""A campaign's steps as a tree: each entry is a step, or a condition with its two ways."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from api.schemas.conditions import AnyCondition, Key
from api.schemas.fields import Body, Words
from api.schemas.steps import ChannelFields, StepFields, WaitFields
from shared.domain.channels import Channel
from shared.domain.linting import ProblemCode, Severity


class StepNode(WaitFields, ChannelFields, StepFields):
    """One step. Whoever has done it stays past it as long as its key stays."""

    key: Key | None = Field(
        None,
        description="Its name, which stays when the step moves or changes. Without one it is the"
        " channel and a number, such as `email-2`.",
    )
    channel: Channel = Field(examples=["email"])
    message_template: Words = Field(
        examples=["Hello {{ lead.first_name }}"],
        description="The mail, the message, what the caller says, or what is to be done.",
    )


class BranchNode(Body):
    """Two ways: `then` for whom the condition is true, `else` for all others."""

    model_config = ConfigDict(populate_by_name=True)

    condition: AnyCondition = Field(alias="if")
    then: "list[AnyNode]" = Field(default_factory=list, max_length=1_000)
    otherwise: "list[AnyNode]" = Field(default_factory=list, max_length=1_000, alias="else")


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "(branch)" if value.keys() & {"if", "then", "else"} else "(step)"
    return "(branch)" if isinstance(value, BranchNode) else "(step)"


AnyNode = Annotated[
    Annotated[StepNode, Tag("(step)")] | Annotated[BranchNode, Tag("(branch)")],
    Discriminator(_kind),
]
Steps = Annotated[
    list[AnyNode],
    Field(
        max_length=1_000,
        examples=[
            [
                {"key": "call", "channel": "call", "message_template": "Hello, this is ..."},
                {
                    "if": {"step": "call", "outcome": "answered"},
                    "then": [
                        {
                            "key": "thanks",
                            "channel": "email",
                            "subject": "Thank you",
                            "message_template": "Hello {{ lead.first_name }}",
                            "delay_days": 1,
                        }
                    ],
                    "else": [
                        {"key": "note", "channel": "task", "message_template": "Find out why"}
                    ],
                },
            ]
        ],
    ),
]
BranchNode.model_rebuild()


class DefinitionChange(Body):
    read_only: ClassVar = frozenset({"campaign_id", "problems"})

    steps: Steps


class ProblemAnswer(BaseModel):
    severity: Severity = Field(description="An error is refused when the campaign is activated.")
    code: ProblemCode
    text: str
    place: str = Field(examples=["steps.1.else.0.subject"])
    step_number: int | None


class DefinitionAnswer(BaseModel):
    campaign_id: UUID
    steps: list[dict[str, Any]]
    problems: list[ProblemAnswer]


class AppliedAnswer(BaseModel):
    campaign_id: UUID
    changed: bool = Field(description="false: the campaign is already what the file says.")
    changes: list[str] = Field(examples=[["step call-1 is added as step 2, call"]])
    problems: list[ProblemAnswer]
