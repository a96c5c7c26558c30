"""A campaign from a mailbox at another provider: real Temporal, Postgres, SMTP and IMAP."""

from datetime import timedelta

import pytest
from temporalio.testing import TimeSkipper

from shared.db.session import Database
from shared.domain.recipient import EndReason
from shared.keyring import Keyring
from tests.fakes.mail_server import FakeSmtp, ImapServer, move_to_smtp
from tests.workflows.conftest import World, end_of, hold, until_next_is


@pytest.fixture(autouse=True)
async def mailbox(
    world: World, database: Database, keyring: Keyring, smtp: FakeSmtp, imap: ImapServer
) -> None:
    await move_to_smtp(world.company, database, keyring, smtp=smtp, imap=imap)


async def test_silence_gets_every_mail_in_one_thread(world: World, smtp: FakeSmtp) -> None:
    recipient = await world.start()

    assert await end_of(recipient) is EndReason.COMPLETED
    assert await world.days_of_mails() == [0, 3, 6]
    ids = [mail["Message-ID"] for mail in smtp.mails]
    assert smtp.mails[-1]["References"].split() == ids[:2]
    assert world.gmail.sent == []


async def test_a_lost_answer_parks_and_is_never_repeated(
    world: World, smtp: FakeSmtp, clock: TimeSkipper
) -> None:
    hold(clock)
    smtp.loses = "dot"
    recipient = await world.start()
    await until_next_is(recipient, "parked: nobody knows whether it was sent")
    smtp.loses = None

    await world.wake()
    await clock.fast_forward(recipient, timedelta(days=1))

    assert len(smtp.mails) == 1
    await world.receive()
    assert await end_of(recipient) is EndReason.REPLIED
