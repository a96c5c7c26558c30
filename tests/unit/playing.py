"""Small campaigns to play forward."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from shared.domain.branches import Guard
from shared.domain.channels import AccountKind, Channel
from shared.domain.recipient import ActivityName, Step
from shared.domain.rehearsal import Story, rehearse
from shared.domain.rehearsal_diary import Sender
from shared.domain.rehearsal_people import Behaviour, Happening, Rates
from shared.domain.rehearsal_scene import Person, Scene
from shared.domain.windows import Window, read_hours
from tests.factories import NOON

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
HOME = UUID(int=9)
MAILBOX = Sender(id=UUID(int=1), name="sam@acme.test", kind=AccountKind.GMAIL)
LINE = Sender(id=UUID(int=2), name="line", kind=AccountKind.BLAND)
WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
OFFICE = Window(hours=read_hours({day: ["09:00-17:00"] for day in WORKDAYS}))
ACTIVITY_OF = {
    Channel.EMAIL: ActivityName.GMAIL_SEND,
    Channel.CALL: ActivityName.BLAND_CALL,
    Channel.LINKEDIN_CONNECTION: ActivityName.LINKEDIN_INVITE,
    Channel.TASK: ActivityName.TASK_OPEN,
}


def steps(
    *channels: Channel, days: int = 3, guards: Mapping[int, tuple[Guard, ...]] | None = None
) -> tuple[Step, ...]:
    return tuple(
        Step(
            id=UUID(int=100 + position),
            position=position,
            activity=ACTIVITY_OF[channel],
            channel=channel,
            wait_seconds=0 if position == 1 else days * 86_400,
            guards=(guards or {}).get(position, ()),
        )
        for position, channel in enumerate(channels, start=1)
    )


MAILS = steps(Channel.EMAIL, Channel.EMAIL, Channel.EMAIL)


def people(number: int, **more: Any) -> tuple[Person, ...]:
    return tuple(
        Person(id=uuid5(HOME, str(place)), name=f"lead-{place}", **more) for place in range(number)
    )


def play(
    number: int = 1,
    *,
    of: tuple[Step, ...] = MAILS,
    by: Sequence[Sender] = (MAILBOX,),
    happenings: Sequence[Happening] = (),
    rates: Rates | None = None,
    who: tuple[Person, ...] | None = None,
    **more: Any,
) -> Story:
    behaviour = Behaviour(rates=rates or Rates(), happenings=tuple(happenings))
    return rehearse(
        Scene(
            campaign_id=HOME,
            steps=of,
            people=people(number) if who is None else who,
            senders=tuple(by),
            begins_at=NOON,
            behaviour=behaviour,
            **more,
        )
    )


def told(story: Story) -> list[tuple[str, timedelta]]:
    return [(entry.what, entry.at - NOON) for entry in story.log.entries]
