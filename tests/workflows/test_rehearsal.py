"""A rehearsal tells what the real workflows do on the real server, to the second."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.testing import TimeSkipper
from uuid_utils.compat import uuid7

from shared.db.session import Database
from shared.domain.rehearsal import rehearse
from shared.keyring import Keyring
from tests.factories import Company
from tests.fakes.gmail import FakeGmail, FakeTokens
from tests.workflows.conftest import Workers, hold
from tests.workflows.drawn import draw_campaign
from tests.workflows.rehearsed import Living, Punctual
from workflows.client import TemporalConductor
from workflows.parts import make_parts

A_SECOND = timedelta(seconds=1)


class Theatre:
    """Where campaigns are rehearsed and lived."""

    def __init__(
        self, database: Database, keyring: Keyring, skipper: TimeSkipper, clock: Punctual
    ) -> None:
        self._database, self._keyring = database, keyring
        self._skipper, self._clock = skipper, clock
        self.prefix = f"test-{uuid7()}/"
        self.conductor = TemporalConductor(skipper.client, prefix=self.prefix)

    async def compare(self, seed: int) -> int:
        """Both ways; how many mails there were."""
        company = await Company.make(self._database, self._keyring)
        drawn = await draw_campaign(company, seed)
        story = rehearse(drawn.scene)
        living = Living(
            drawn,
            database=self._database,
            keyring=self._keyring,
            conductor=self.conductor,
            skipper=self._skipper,
            clock=self._clock,
        )
        await living.live(story)

        rehearsed = sorted(
            (entry.place, entry.step, entry.at)
            for entry in story.log.entries
            if entry.what == "sent"
        )
        assert await living.mails() == rehearsed, f"campaign {seed}"
        assert await living.ends() == [life.ended for life in story.lives], f"campaign {seed}"
        # Each of them was what the campaign's `explain` said would come next, and when.
        surprises = [(said, was) for said, was in living.announced if said != was]
        assert surprises == [], f"campaign {seed}"
        attempts = await living.attempts()
        assert all(timedelta() <= at - planned < A_SECOND for planned, at in attempts)
        return len(rehearsed)


@pytest.fixture
async def theatre(
    temporal: Client, clock: TimeSkipper, database: Database, keyring: Keyring, gmail: FakeGmail
) -> AsyncIterator[Theatre]:
    hold(clock)
    punctual = Punctual()
    config = temporal.config()
    config["interceptors"] = [*config["interceptors"], punctual]
    theatre = Theatre(database, keyring, clock, punctual)
    tokens = FakeTokens()
    async with gmail.http() as http:
        parts = make_parts(
            database=database,
            keyring=keyring,
            conductor=theatre.conductor,
            http=http,
            token_source_of=lambda _: tokens,
            gmail_endpoint=gmail.endpoint,
            poll_seconds=1,
        )
        workers = Workers(Client(**config), parts, theatre.prefix)
        await workers.start()
        yield theatre
        await workers.stop()


@pytest.mark.parametrize("seeds", [range(begin, begin + 5) for begin in (0, 5, 10, 15)], ids=str)
async def test_twenty_campaigns_go_as_they_were_rehearsed(theatre: Theatre, seeds: range) -> None:
    mails = await asyncio.gather(*(theatre.compare(seed) for seed in seeds))

    assert sum(mails) > 20
