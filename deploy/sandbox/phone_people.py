"""Who does what when the phone rings. Pure: the same seed always casts the same people."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Pickup(StrEnum):
    """What comes of a call, from the person's side."""

    TALKS = "talks"
    HANGS_UP = "hangs_up"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DO_NOT_CALL = "do_not_call"
    NOT_INTERESTED = "not_interested"
    WANTS_MEETING = "wants_meeting"
    FAILS = "fails"


# Of ten people, unless somebody says otherwise.
USUAL: Mapping[Pickup, float] = {
    Pickup.TALKS: 0.2,
    Pickup.WANTS_MEETING: 0.1,
    Pickup.NOT_INTERESTED: 0.1,
    Pickup.DO_NOT_CALL: 0.1,
    Pickup.HANGS_UP: 0.1,
    Pickup.VOICEMAIL: 0.2,
    Pickup.BUSY: 0.05,
    Pickup.FAILS: 0.05,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """How a call goes. `lines`: who says what, `user` or `assistant`. `variables`: what the agent
    has written down.
    """

    status: str
    answered_by: str | None
    disposition: str | None
    seconds: int
    summary: str | None = None
    ended_by: str | None = None
    error: str | None = None
    queue_status: str = "complete"
    lines: tuple[tuple[str, str], ...] = field(default=())
    variables: Mapping[str, str] = field(default_factory=dict, hash=False)

    def fields(self) -> dict[str, Any]:
        """As the provider tells of it, without the times."""
        return {
            "status": self.status,
            "answered_by": self.answered_by,
            "disposition_tag": self.disposition,
            "summary": self.summary,
            "call_ended_by": self.ended_by,
            "error_message": self.error,
            "queue_status": self.queue_status,
            "corrected_duration": str(self.seconds),
            "call_length": round(self.seconds / 60, 3),
            "price": round(max(0.015, self.seconds * 0.0015), 4),
        }


_HELLO = ("assistant", "Hello, this is an AI assistant calling for Acme. Is this a good moment?")
SCENES: Mapping[Pickup, Scene] = {
    Pickup.TALKS: Scene(
        status="completed",
        answered_by="human",
        disposition="INTERESTED",
        seconds=95,
        summary="They would like to read more.",
        ended_by="ASSISTANT",
        lines=(_HELLO, ("user", "Yes, go ahead."), ("user", "Sounds good, send me something.")),
    ),
    Pickup.WANTS_MEETING: Scene(
        status="completed",
        answered_by="human",
        disposition="CALL_BACK_SCHEDULED",
        seconds=120,
        summary="They want to meet next week.",
        ended_by="ASSISTANT",
        lines=(_HELLO, ("user", "Let us meet next week, Tuesday at ten would be fine.")),
    ),
    Pickup.NOT_INTERESTED: Scene(
        status="completed",
        answered_by="human",
        disposition="NOT_INTERESTED",
        seconds=25,
        summary="They are not interested.",
        ended_by="USER",
        lines=(_HELLO, ("user", "Thanks, but we have no need for that.")),
    ),
    Pickup.DO_NOT_CALL: Scene(
        status="completed",
        answered_by="human",
        # The agent does not always notice; the words are enough.
        disposition="NOT_INTERESTED",
        seconds=15,
        summary="They asked not to be called again.",
        ended_by="USER",
        lines=(_HELLO, ("user", "Please take me off your list and stop calling me.")),
    ),
    Pickup.HANGS_UP: Scene(
        status="completed",
        answered_by="human",
        disposition="NO_CONTACT_MADE",
        seconds=4,
        ended_by="USER",
        lines=(_HELLO,),
    ),
    Pickup.VOICEMAIL: Scene(
        status="completed",
        answered_by="voicemail",
        disposition="NO_CONTACT_MADE",
        seconds=20,
        ended_by="ASSISTANT",
        lines=(("robot", "Please leave a message after the tone."),),
    ),
    Pickup.NO_ANSWER: Scene(
        status="no-answer", answered_by="no-answer", disposition="NO_ANSWER", seconds=0
    ),
    Pickup.BUSY: Scene(status="busy", answered_by=None, disposition="BUSY", seconds=0),
    Pickup.FAILS: Scene(
        status="failed",
        answered_by=None,
        disposition="FAILED",
        seconds=0,
        error="The carrier refused the call.",
        queue_status="call_error",
    ),
}


def cast_phones(
    numbers: Sequence[str], *, seed: int, shares: Mapping[Pickup, float] = USUAL
) -> dict[str, Pickup]:
    """Give every number somebody; who is left over does not answer.

    A kind whose share is not 0 occurs at least once while numbers last.
    """
    if sum(shares.values()) > 1:
        raise ValueError(f"the shares {dict(shares)} add up to more than everybody")
    roles: list[Pickup] = []
    for pickup, share in shares.items():
        roles += [pickup] * (max(1, round(share * len(numbers))) if share else 0)
    roles = (roles + [Pickup.NO_ANSWER] * len(numbers))[: len(numbers)]
    random.Random(seed).shuffle(roles)  # noqa: S311 - a play to be repeated, not a secret
    return dict(zip(numbers, roles, strict=True))
