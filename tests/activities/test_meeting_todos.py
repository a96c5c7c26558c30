"""A reply that asks to meet: somebody is asked to agree on a time, once."""

import pytest
from sqlalchemy import select

from shared.contracts.recipient import ActionOrder
from shared.db.models import CalendarProvider, CalendarRow, MembershipRow, Role, TodoRow, TodoStatus
from shared.db.repositories.answers import note_class
from shared.db.session import Database
from shared.domain.inbound import ClassSource, ReplyClass
from shared.domain.recipient import EndReason
from tests.activities.conftest import Send
from tests.activities.test_inbox import answer, events, poll
from tests.factories import Company
from tests.fakes.gmail import FakeGmail
from workflows.parts import Parts

LINK = "https://booking.example.com/sam"


async def todos(company: Company) -> list[TodoRow]:
    async with company.session() as session:
        return list(await session.scalars(select(TodoRow)))


@pytest.mark.parametrize("has_link", [True, False])
async def test_who_asks_to_meet_is_a_to_do_with_the_booking_link(
    *,
    parts: Parts,
    company: Company,
    order: ActionOrder,
    gmail: FakeGmail,
    send: Send,
    database: Database,
    has_link: bool,
) -> None:
    async with company.session() as session:
        session.add(MembershipRow(user_id=company.user_id, role=Role.MEMBER))
        if has_link:
            link = {"provider": CalendarProvider.LINK, "booking_url": LINK}
            session.add(CalendarRow(user_id=company.user_id, **link))
    await send(order)
    [mail] = gmail.sent
    gmail.box.deliver(answer(mail, "Sounds good, let's talk."), thread_id=mail.thread_id)

    await poll(parts, company)
    [event] = await events(company)
    # The model says the same once more, later.
    async with database.company_transaction(company.id) as connection:
        await note_class(connection, event.id, ReplyClass.INTERESTED, source=ClassSource.MODEL)

    [todo], row = await todos(company), await company.recipient(order.recipient_id)
    assert (todo.status, todo.lead_id, todo.assignee_id) == (
        TodoStatus.OPEN,
        row.lead_id,
        company.user_id,
    )
    assert todo.title.startswith("Agree on a time with ")
    assert (LINK in (todo.text or "")) is has_link
    assert row.end_reason is EndReason.REPLIED


async def test_who_wants_to_read_more_is_none(
    parts: Parts, company: Company, order: ActionOrder, gmail: FakeGmail, send: Send
) -> None:
    await send(order)
    [mail] = gmail.sent
    gmail.box.deliver(answer(mail, "Sounds good, send me more."), thread_id=mail.thread_id)

    await poll(parts, company)

    assert (await events(company))[0].reply_class is ReplyClass.INTERESTED
    assert await todos(company) == []
