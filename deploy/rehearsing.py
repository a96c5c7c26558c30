"""Rehearse a campaign's file without a database or Temporal, in a team's own tests.

from deploy.rehearsing import rehearse_file, reply

def test_a_reply_on_day_2_cancels_the_call() -> None:
    rehearsal = rehearse_file("spring.yaml", happenings=[reply(day=2)])
    assert "call" not in rehearsal.channels_of("lead-1@example.com")
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from api.campaign_files import read_campaign
from deploy.file_scenes import ONE_MAILBOX, Means, make_leads, make_scene
from shared.domain.branches import StepOutcome
from shared.domain.inbound import InboundKind
from shared.domain.rehearsal import Story, rehearse
from shared.domain.rehearsal_people import SILENCE, Behaviour, Happening
from shared.domain.rehearsal_report import ACTIONS, report_of
from shared.domain.rehearsal_scene import Entry

DAY = 86_400
# A Monday, so that a test says the same whenever it runs.
A_MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Rehearsal:
    """What became of everybody. Leads go by their address, made-up ones by `lead-1@example.com`."""

    def __init__(self, story: Story) -> None:
        self.story = story

    @cached_property
    def report(self) -> dict[str, Any]:
        """The dated schedule and its problems, as `drumbeat rehearse --json` prints them."""
        return report_of(self.story)

    def ending_of(self, lead: str) -> str | None:
        """How it ended: `completed`, `replied`, `bounced`, ...; None: it is still open."""
        ended = self.story.lives[self._place(lead)].ended
        return str(ended) if ended else None

    def steps_of(self, lead: str) -> list[str]:
        """The keys of the steps that reached it, in order."""
        keys = {step.position: step.name for step in self.story.scene.steps}
        return [keys[entry.step] for entry in self._entries(lead) if entry.step is not None]

    def channels_of(self, lead: str) -> list[str]:
        return [str(entry.channel) for entry in self._entries(lead)]

    def dates_of(self, lead: str) -> list[datetime]:
        """When each of its steps reached it, in UTC."""
        return [entry.at for entry in self._entries(lead)]

    def _entries(self, lead: str) -> list[Entry]:
        place = self._place(lead)
        by_hand = {"to do"}
        return [
            entry
            for entry in self.story.log.entries
            if entry.place == place and entry.what in ACTIONS | by_hand
        ]

    def _place(self, lead: str) -> int:
        for place, life in enumerate(self.story.lives):
            if life.person.name == lead:
                return place
        raise KeyError(f"No lead is called {lead}: {self.story.lives[0].person.name} is one")


def rehearse_file(
    path: str | Path,
    *,
    leads: int | Sequence[Mapping[str, Any]] = 1,
    happenings: Sequence[Happening] = (),
    behaviour: Behaviour = SILENCE,
    means: Means = ONE_MAILBOX,
    begins_at: datetime = A_MONDAY,
    seed: int = 0,
) -> Rehearsal:
    """Play a campaign's file forward. `leads`: how many are made up, or their fields.

    `happenings`: what somebody does for certain; `behaviour`: what people do by chance, which
    the seed decides. Raises `NotACampaign` for a file that cannot be read.
    """
    campaign = read_campaign(Path(path).read_text(encoding="utf-8"))
    wanted = replace(behaviour, happenings=(*behaviour.happenings, *happenings))
    fields = make_leads(leads) if isinstance(leads, int) else leads
    scene = make_scene(
        campaign, fields, behaviour=wanted, means=means, begins_at=begins_at, seed=seed
    )
    return Rehearsal(rehearse(scene))


def reply(*, day: float = 0, lead: str | None = None, step: int | None = None) -> Happening:
    """A reply, so many days after the start, or after a step (from 1) has reached the lead."""
    return _happening(InboundKind.REPLY, day, lead, step)


def bounce(*, day: float = 0, lead: str | None = None, step: int | None = 1) -> Happening:
    return _happening(InboundKind.BOUNCE, day, lead, step)


def unsubscribe(*, day: float = 0, lead: str | None = None, step: int | None = None) -> Happening:
    return _happening(InboundKind.UNSUBSCRIBE, day, lead, step)


def out_of_office(
    *, days_away: float, day: float = 0, lead: str | None = None, step: int | None = None
) -> Happening:
    """An automatic answer that says when the lead is back."""
    return Happening(
        kind=InboundKind.AUTO_REPLY,
        after_seconds=int(day * DAY),
        away_seconds=int(days_away * DAY),
        name=lead,
        step=step,
    )


def outcome(
    name: StepOutcome | str, *, step: int, day: float = 0, lead: str | None = None
) -> Happening:
    """What comes of a step: `answered`, `voicemail`, `connected`, `opened`, ..."""
    seconds = int(day * DAY)
    return Happening(outcome=StepOutcome(name), after_seconds=seconds, name=lead, step=step)


def _happening(kind: InboundKind, day: float, lead: str | None, step: int | None) -> Happening:
    return Happening(kind=kind, after_seconds=int(day * DAY), name=lead, step=step)
