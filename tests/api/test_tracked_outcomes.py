"""An open or a click is an outcome of its step, which decides where a campaign asks for it."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from shared.db.models import ActionRow, RecipientRow
from shared.db.repositories.ledger import action_id_of
from shared.domain.recipient import ActivityName
from shared.keyring import Keyring
from shared.tracking import Tracking
from tests.api.test_tracking import GMAIL, LONG_AGO, PERSON, TARGET, campaign, mail, write
from tests.factories import Campaign, Company
from tests.fakes.conductor import RecordingConductor

__all__ = ["campaign", "mail"]


async def outcomes_of(company: Company, mail: Tracking) -> set[str]:
    async with company.session() as session:
        action_id = action_id_of(mail.recipient_id, mail.step_id)
        return set((await session.get_one(ActionRow, action_id)).outcomes)


async def let_wait_for_a_decision(company: Company, mail: Tracking) -> None:
    async with company.session() as session:
        await session.execute(
            update(RecipientRow)
            .where(RecipientRow.id == mail.recipient_id)
            .values(next_activity=ActivityName.RECIPIENT_PLAN, next_step_id=None)
        )


@pytest.mark.parametrize(
    ("is_click", "headers", "expected"),
    [
        pytest.param(False, PERSON, {"opened"}, id="opened"),
        pytest.param(False, {"User-Agent": GMAIL}, {"opened"}, id="opened behind a proxy"),
        pytest.param(False, PERSON | {"Sec-Purpose": "prefetch"}, set(), id="fetched early"),
        pytest.param(True, PERSON, {"opened", "clicked"}, id="who clicks has opened it"),
        pytest.param(True, PERSON | {"Sec-Purpose": "prefetch"}, set(), id="followed by a machine"),
    ],
)
async def test_what_people_do_is_an_outcome(
    *,
    anybody: httpx.AsyncClient,
    company: Company,
    mail: Tracking,
    is_click: bool,
    headers: dict[str, str],
    expected: set[str],
) -> None:
    await anybody.get(mail.click_url(TARGET) if is_click else mail.pixel_url, headers=headers)

    assert await outcomes_of(company, mail) == expected


async def test_whoever_waits_for_it_hears_of_it_once(
    anybody: httpx.AsyncClient, company: Company, mail: Tracking, conductor: RecordingConductor
) -> None:
    await let_wait_for_a_decision(company, mail)

    for _ in range(3):
        await anybody.get(mail.pixel_url, headers=PERSON)

    assert [ref.recipient_id for ref, _ in conductor.wakes] == [mail.recipient_id]


async def test_nobody_else_is_woken(
    *,
    anybody: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    keyring: Keyring,
    conductor: RecordingConductor,
) -> None:
    mail = await write(company, campaign, keyring, ago=LONG_AGO + timedelta(hours=1))

    await anybody.get(mail.pixel_url, headers=PERSON)

    assert await outcomes_of(company, mail) == {"opened"}
    assert conductor.wakes == []
