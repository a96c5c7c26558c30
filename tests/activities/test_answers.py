"""What comes back is read behind the stop: what a reply means, and what bounces add up to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from activities.answers import AnswerActivities
from activities.reply_model import ReplyModel
from shared.contracts.recipient import ActionOrder, RecipientRef, StopSignal
from shared.db.models import EventRow, LeadRow
from shared.db.session import Database
from shared.domain.inbound import ClassSource, ReplyClass
from shared.domain.leads import LeadStatus
from shared.domain.recipient import EndReason
from shared.keyring import Keyring
from tests.activities.conftest import Send, at
from tests.activities.test_inbox import answer, events, poll
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail
from tests.fakes.mailbox import StoredMail
from tests.fakes.model import answering_model
from workflows.parts import Parts


@pytest.fixture
async def sent(send: Send, order: ActionOrder, gmail: FakeGmail) -> StoredMail:
    await send(order)
    [mail] = gmail.sent
    return mail


async def lead_of(company: Company, order: ActionOrder) -> LeadRow:
    recipient = await company.recipient(order.recipient_id)
    async with company.session() as session:
        return await session.get_one(LeadRow, recipient.lead_id)


@pytest.mark.parametrize(
    ("text", "reply_class", "status"),
    [
        ("Sounds good, call me.", ReplyClass.INTERESTED, LeadStatus.INTERESTED),
        ("Not interested.", ReplyClass.NOT_INTERESTED, LeadStatus.NOT_INTERESTED),
        ("How much does it cost?", ReplyClass.QUESTION, LeadStatus.REPLIED),
        ("Not now, maybe later.", ReplyClass.LATER, LeadStatus.REPLIED),
        ("Bob is responsible for that.", None, LeadStatus.REPLIED),
    ],
)
async def test_a_reply_is_classified_by_its_words(
    *,
    parts: Parts,
    company: Company,
    order: ActionOrder,
    gmail: FakeGmail,
    sent: StoredMail,
    text: str,
    reply_class: ReplyClass | None,
    status: LeadStatus,
) -> None:
    gmail.box.deliver(answer(sent, text), thread_id=sent.thread_id)

    await poll(parts, company)

    [event] = await events(company)
    assert (event.reply_class, event.class_source) == (reply_class, ClassSource.RULES)
    assert (await lead_of(company, order)).status is status
    assert (await company.recipient(order.recipient_id)).reply_class is reply_class
    async with company.session() as session:
        told = await session.scalars(select(EventRow).where(EventRow.name == "reply.classified"))
        payloads = [it.payload for it in told]
    assert [it["class"] for it in payloads] == ([reply_class] if reply_class else [])


async def test_the_stop_comes_before_the_class(
    parts: Parts,
    company: Company,
    gmail: FakeGmail,
    sent: StoredMail,
    conductor: RecordingConductor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever is told finds the recipient ended, and nothing was classified yet."""
    seen: list[tuple[EndReason | None, object]] = []
    stop = conductor.stop

    async def look(recipient: RecipientRef, signal: StopSignal) -> None:
        [event] = await events(company)
        row = await company.recipient(recipient.recipient_id)
        seen.append((row.end_reason, event.class_source))
        await stop(recipient, signal)

    monkeypatch.setattr(conductor, "stop", look)
    gmail.box.deliver(answer(sent, "Yes, please."), thread_id=sent.thread_id)

    await poll(parts, company)

    assert seen == [(EndReason.REPLIED, None)]
    assert (await events(company))[0].reply_class is ReplyClass.INTERESTED


async def test_a_status_that_a_person_has_set_stays(
    parts: Parts,
    company: Company,
    order: ActionOrder,
    gmail: FakeGmail,
    sent: StoredMail,
    database: Database,
    keyring: Keyring,
    conductor: RecordingConductor,
    model: AnswerActivities,
) -> None:
    gmail.box.deliver(answer(sent, "Hm, the blue one?"), thread_id=sent.thread_id)
    await poll(parts, company)
    async with company.session() as session:
        lead_id = (await company.recipient(order.recipient_id)).lead_id
        (await session.get_one(LeadRow, lead_id)).status = LeadStatus.NOT_INTERESTED

    await at(NOON).run(model.classify)

    assert (await lead_of(company, order)).status is LeadStatus.NOT_INTERESTED


@pytest.fixture(scope="module")
async def model_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    def means(words: str, meaning: str) -> dict[str, object]:
        content = f'{{"meaning": "{meaning}"}}'
        return {"match": {"userMessage": words}, "response": {"content": content}}

    fixtures = [
        means("the blue one", "interested"),
        means("the green one", "none"),
        {"match": {"userMessage": "the red one"}, "response": {"content": "no JSON at all"}},
        means("Bob is responsible", "question"),
    ]
    folder: Path = tmp_path_factory.mktemp("model")
    async with answering_model(folder, fixtures) as url:
        yield url


@pytest.fixture
def model(
    database: Database, keyring: Keyring, conductor: RecordingConductor, model_url: str
) -> AnswerActivities:
    return AnswerActivities(
        database=database,
        keyring=keyring,
        conductor=conductor,
        model=ReplyModel(base_url=model_url, api_key="none", model="mock"),
    )


@pytest.mark.parametrize(
    ("text", "reply_class", "source", "status"),
    [
        ("Hm, the blue one?", ReplyClass.INTERESTED, ClassSource.MODEL, LeadStatus.INTERESTED),
        ("Sure, the green one!", None, ClassSource.MODEL, LeadStatus.REPLIED),
        (
            "The red one, of course not interested: the red one",
            ReplyClass.NOT_INTERESTED,
            ClassSource.RULES,
            LeadStatus.NOT_INTERESTED,
        ),
    ],
    ids=["another class", "none of them", "an answer that cannot be used"],
)
async def test_a_model_knows_better_than_the_rules(
    *,
    parts: Parts,
    company: Company,
    order: ActionOrder,
    gmail: FakeGmail,
    sent: StoredMail,
    model: AnswerActivities,
    text: str,
    reply_class: ReplyClass | None,
    source: ClassSource,
    status: LeadStatus,
) -> None:
    gmail.box.deliver(answer(sent, text), thread_id=sent.thread_id)
    await poll(parts, company)

    for _ in range(2):
        await at(NOON).run(model.classify)

    [event] = await events(company)
    assert (event.reply_class, event.class_source) == (reply_class, source)
    assert event.class_asked_at is not None
    assert (await lead_of(company, order)).status is status


async def test_a_model_that_is_away_is_asked_again(
    parts: Parts,
    company: Company,
    gmail: FakeGmail,
    sent: StoredMail,
    database: Database,
    keyring: Keyring,
    conductor: RecordingConductor,
) -> None:
    gmail.box.deliver(answer(sent, "How much is it?"), thread_id=sent.thread_id)
    await poll(parts, company)
    away = AnswerActivities(
        database=database,
        keyring=keyring,
        conductor=conductor,
        model=ReplyModel(base_url="http://127.0.0.1:1/v1", api_key="none", model="mock"),
    )

    assert await at(NOON).run(away.classify) == 0
    assert await at(NOON).run(parts.answers.classify) == 0

    [event] = await events(company)
    assert (event.reply_class, event.class_asked_at) == (ReplyClass.QUESTION, None)
