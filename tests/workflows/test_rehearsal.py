"""A rehearsal tells what the real workflows do on the real server, to the second."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from shared.db.session import Database
from shared.domain.rehearsal import rehearse
from shared.keyring import Keyring
from tests.factories import Company
from tests.fakes.gmail import FakeGmail
from tests.workflows.drawn import draw_campaign
from tests.workflows.punctual import Stage, set_stage
from tests.workflows.rehearsed import Living

A_SECOND = timedelta(seconds=1)


async def compare(stage: Stage, seed: int) -> int:
    """Rehearsed and lived; how many mails there were."""
    company = await Company.make(stage.database, stage.keyring)
    drawn = await draw_campaign(company, seed)
    story = rehearse(drawn.scene)
    living = Living(drawn, stage)
    await living.live(story)

    rehearsed = sorted(
        (entry.place, entry.step, entry.at) for entry in story.log.entries if entry.what == "sent"
    )
    assert await living.mails() == rehearsed, f"campaign {seed}"
    assert await living.ends() == [life.ended for life in story.lives], f"campaign {seed}"
    # Each of them was what the campaign's `explain` said would come next, and when.
    surprises = [(said, was) for said, was in living.announced if said != was]
    assert surprises == [], f"campaign {seed}"
    assert living.disappointed == [], f"campaign {seed}"
    attempts = await living.attempts()
    assert all(timedelta() <= at - planned < A_SECOND for planned, at in attempts)
    return len(rehearsed)


@pytest.fixture
async def stage(
    temporal: Client, clock: TimeSkipper, database: Database, keyring: Keyring, gmail: FakeGmail
) -> AsyncIterator[Stage]:
    async with set_stage(temporal, clock, database, keyring, gmail) as stage:
        yield stage


@pytest.mark.parametrize("seeds", [range(begin, begin + 5) for begin in (0, 5, 10, 15)], ids=str)
async def test_twenty_campaigns_go_as_they_were_rehearsed(stage: Stage, seeds: range) -> None:
    mails = await asyncio.gather(*(compare(stage, seed) for seed in seeds))

    assert sum(mails) > 20
