"""Random edits at random times, over real rows and a mailbox that loses answers: once each."""

import random
import re
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select, text
from temporalio.exceptions import ApplicationError
from uuid_utils.compat import uuid7

from shared.contracts.recipient import ActionOrder
from shared.db.models import ActionRow, ActionStatus, CampaignRow, StepRow, VersionRow
from shared.db.repositories.versions import publish_version
from shared.domain.channels import Channel
from shared.domain.recipient import Finished, Outcome, Planned
from shared.errors import ProviderError
from tests.activities.conftest import at
from tests.factories import NOON, Campaign, Company
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts

OPERATIONS = ("drafts.create", "drafts.send", "threads.get", "messages.list", None)


class Editor:
    """Changes the campaign's steps as people do, and publishes each change."""

    def __init__(self, company: Company, campaign: Campaign, chance: random.Random) -> None:
        self._company, self._campaign, self._chance = company, campaign, chance

    async def edit(self) -> None:
        chance = self._chance
        async with self._company.session() as session:
            rows = select(StepRow).where(StepRow.campaign_id == self._campaign.id)
            steps = list(await session.scalars(rows.order_by(StepRow.position)))
            await session.execute(text("set constraints all deferred"))
            match chance.choice(["add", "remove", "reorder", "wait", "text"]):
                case "add":
                    steps.insert(chance.randint(0, len(steps)), self._new_step())
                    session.add_all(steps)
                case "remove" if len(steps) > 1:
                    gone = steps.pop(chance.randrange(len(steps)))
                    await session.execute(delete(StepRow).where(StepRow.id == gone.id))
                case "reorder":
                    chance.shuffle(steps)
                case "wait":
                    chance.choice(steps).delay_seconds = chance.choice([0, 60, 86_400])
                case "text":
                    step = chance.choice(steps)
                    step.message_template = f"<{step.id}> again, {chance.random()}"
            for position, step in enumerate(steps, start=1):
                step.position = position
            await session.flush()
            row = await session.get_one(CampaignRow, self._campaign.id)
            row.version_id = await publish_version(session, self._campaign.id)

    def _new_step(self) -> StepRow:
        id_ = uuid7()
        return StepRow(
            id=id_,
            campaign_id=self._campaign.id,
            position=999,
            channel=Channel.EMAIL,
            subject="Hello",
            message_template=f"<{id_}>",
            delay_seconds=self._chance.choice([0, 60, 86_400]),
        )


async def name_steps(company: Company, campaign: Campaign) -> None:
    """Each mail says which step it is of."""
    async with company.session() as session:
        for step_id in campaign.step_ids:
            step = await session.get_one(StepRow, step_id)
            step.subject, step.message_template = "Hello", f"<{step_id}>"
        row = await session.get_one(CampaignRow, campaign.id)
        row.version_id = await publish_version(session, campaign.id)


async def still_to_come(company: Company, campaign: Campaign) -> set[UUID]:
    """By the ledger: what stands behind the last step that was done, in the steps as they are."""
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        version = await session.get_one(VersionRow, row.version_id)
        rows = select(ActionRow).where(ActionRow.status == ActionStatus.SENT)
        done = list(await session.scalars(rows.order_by(ActionRow.settled_at)))
        ids = [UUID(step["id"]) for step in version.steps]
        if not done:
            return set(ids)
        sent, last = {action.step_id for action in done}, done[-1]
        if last.step_id in ids:
            return set(ids[ids.index(last.step_id) + 1 :]) - sent
        its_version = await session.get_one(VersionRow, last.version_id)
        order = [UUID(step["id"]) for step in its_version.steps]
        trail = order[: order.index(last.step_id) + 1]
        behind = [ids.index(it) for it in trail if it in ids and it in sent]
        return set(ids[behind[-1] + 1 if behind else 0 :]) - sent - set(trail)


async def go_on(
    parts: Parts, company: Company, order: ActionOrder, now: datetime
) -> Outcome | None:
    """What the workflow would do at this instant. None: the attempt failed."""
    with suppress(ProviderError, ApplicationError):
        look = company.order(company.ref(order), None)
        outcome: Outcome = await at(now).run(parts.recipient.plan, look)
        if isinstance(outcome, Planned) and outcome.step_id and outcome.at <= now:
            step = company.order(company.ref(order), outcome.step_id)
            return await at(now).run(parts.gmail.send, step)
        return outcome
    return None


@pytest.mark.parametrize("seed", range(8))
async def test_nothing_is_sent_twice_and_nothing_ahead_is_left_out(
    parts: Parts, company: Company, gmail: FakeGmail, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - it has to come out the same again
    campaign = await company.make_campaign(waits=(0, 60, 60, 86_400))
    await name_steps(company, campaign)
    order, editor = await company.make_order(campaign), Editor(company, campaign, chance)
    now = NOON
    for _ in range(14):
        now += timedelta(seconds=chance.choice([1, 120, 90_000]))
        if chance.random() < 0.45:
            await editor.edit()
            continue
        if chance.random() < 0.5:
            fault = chance.choice([gmail.lose_answer, gmail.lose_request, gmail.be_down])
            fault(on=chance.choice(OPERATIONS))
        if isinstance(await go_on(parts, company, order, now), Finished):
            break
    # A mail that nobody knows the end of is found before what is ahead is counted.
    for _ in range(30):
        now += timedelta(hours=1)
        if await go_on(parts, company, order, now) is not None:
            break
    to_come = await still_to_come(company, campaign)
    for _ in range(40):
        now += timedelta(days=2)
        if isinstance(await go_on(parts, company, order, now), Finished):
            break

    mails = Counter(
        found.group(1)
        for mail in gmail.sent
        if (found := re.search(r"[<;]([0-9a-f-]{36})[>&]", mail.raw.decode()))
    )
    assert len(gmail.sent) == mails.total()
    assert set(mails.values()) <= {1}, "a step was sent twice"
    assert {str(step_id) for step_id in to_come} <= mails.keys(), "a step was left out"
