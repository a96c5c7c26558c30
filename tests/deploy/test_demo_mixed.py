"""The demo's second campaign: what is done by phone and by hand is held against the books too."""

import io
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from rich.console import Console

from deploy.demo.audit import Course, make_report
from deploy.demo.gateway import Gateway, Todo
from deploy.demo.hands import HandDeed, Hands
from deploy.demo.ledger import LedgerAction, LedgerRecipient
from deploy.demo.phones import (
    EXCHANGES,
    MOST_PHONES,
    PhoneDeed,
    Phones,
    cast_callees,
    find_exchange,
    with_phones,
)
from deploy.demo.screen import Screen
from deploy.demo.script import CALL, EMAIL, INVITATION, make_leads
from deploy.sandbox.phone_people import Pickup
from shared.providers.bland import BlandClient, CallOrder
from tests.deploy.test_demo_audit import NOW, action, at, mail

CHANNELS = {"s1": EMAIL, "s2": INVITATION, "s3": CALL, "s4": EMAIL}


def call(pickup: Pickup = Pickup.TALKS, *, key: str = "key-3") -> PhoneDeed:
    return PhoneDeed(number="+442079460001", key=key, pickup=pickup, placed_at=at(30))


def hand(step: int = 2, *, todo: str = "t1") -> HandDeed:
    return HandDeed(
        todo=Todo(id=todo, title="Invite Ada", lead_id="l", step_id=f"s{step}"), done_at=at(20)
    )


def course(*, steps: int = 4, end: str = "completed", **more: Any) -> Course:
    """Somebody who got all of it, and of whom all is recorded."""
    recipient = LedgerRecipient(
        id="r",
        lead_id="l",
        status="completed",
        detail=end,
        ended_at=at(50),
        actions=tuple(action(n) for n in range(1, steps + 1)),
    )
    whole = Course(
        address="ada@lead.test",
        name="Ada",
        recipient=recipient,
        mails=(mail(1), mail(4)),
        deeds=(),
        calls=(call(),),
        hands=(hand(),),
        channels=CHANNELS,
    )
    return replace(whole, **more)


def test_a_good_run_of_all_channels_is_clean() -> None:
    report = make_report([course()], steps=3, seconds=1)
    assert report.is_clean, report.remarks
    assert (report.sent, report.calls, report.todos, report.finished) == (2, 1, 1, 1)


@pytest.mark.parametrize(
    ("changed", "duplicates", "lost"),
    [
        ({"calls": (call(), call(key="another"))}, 1, 0),
        ({"calls": (call(), call())}, 1, 0),
        ({"hands": (hand(), hand(todo="t2"))}, 1, 0),
        ({"calls": ()}, 0, 1),
        ({"hands": ()}, 0, 1),
        ({"mails": (mail(1),)}, 0, 1),
        ({"mails": (mail(1),), "calls": (), "hands": ()}, 0, 3),
    ],
    ids=[
        *("called again under another key", "called again", "a second to-do"),
        *("never called", "never invited", "never written to again", "nothing but a mail"),
    ],
)
def test_what_is_too_much_or_too_little_is_counted(
    changed: dict[str, Any], duplicates: int, lost: int
) -> None:
    report = make_report([course(**changed)], steps=3, seconds=1)
    assert (report.duplicates, report.lost) == (duplicates, lost)
    assert not report.is_clean


def test_a_call_that_was_visibly_given_up_is_not_lost() -> None:
    given_up = [action(n, status="failed" if n == 3 else "sent") for n in (1, 2, 3, 4)]
    one = course(calls=())
    report = make_report(
        [replace(one, recipient=replace(one.recipient, actions=tuple(given_up)))],
        steps=3,
        seconds=1,
    )
    assert report.lost == 0


@pytest.mark.parametrize(
    ("pickup", "end"), [(Pickup.DO_NOT_CALL, "unsubscribed"), (Pickup.NOT_INTERESTED, "replied")]
)
def test_what_is_said_on_the_phone_ends_it(pickup: Pickup, end: str) -> None:
    heard = course(steps=3, end=end, mails=(mail(1),), calls=(call(pickup),))
    assert make_report([heard], steps=3, seconds=1).is_clean
    deaf = course(calls=(call(pickup),))
    assert make_report([deaf], steps=3, seconds=1).remarks


def test_a_call_behind_the_stop_is_counted() -> None:
    late = LedgerAction(step_id="s3", status="sent", executed_at=at(60), confirmed_at=at(51))
    one = course(steps=2, end="replied", mails=(mail(1),))
    actions = (*one.recipient.actions, late)
    report = make_report(
        [replace(one, recipient=replace(one.recipient, actions=actions))], steps=3, seconds=1
    )
    assert report.sent_after_stop == 1


def test_a_phone_may_ring_somewhere_at_any_hour() -> None:
    hours = [NOW + timedelta(hours=hour) for hour in range(24 * 7)]
    assert all(find_exchange(hour) for hour in hours)


def test_numbers_are_all_different_and_belong_to_nobody() -> None:
    leads = make_leads(MOST_PHONES, seed=1)
    for exchange in EXCHANGES:
        called = with_phones(leads, exchange)
        assert len({lead.phone for lead in called}) == MOST_PHONES
        assert all(lead.consent and lead.linkedin_url for lead in called)


def test_whoever_answers_by_mail_ends_nothing_by_phone() -> None:
    leads = with_phones(make_leads(30, seed=1), EXCHANGES[0])
    outspoken = {lead.email: True for lead in leads[:10]}
    cast = cast_callees(leads, seed=1, outspoken=outspoken)
    assert {cast[lead.phone or ""] for lead in leads[:10]} == {Pickup.VOICEMAIL}
    others = Counter(cast[lead.phone or ""] for lead in leads[10:])
    assert {Pickup.DO_NOT_CALL, Pickup.NOT_INTERESTED, Pickup.TALKS} <= others.keys()


async def test_the_phone_company_answers_over_http() -> None:
    phones = Phones({"+442079460001": Pickup.TALKS})
    async with phones.listening(), httpx.AsyncClient() as http:
        client = BlandClient(http, endpoint=phones.url, api_key=phones.api_key)
        await client.place(
            CallOrder(to="+442079460001", key="key-1", details={"task": "Say hello"})
        )
        [deed] = phones.deeds
        assert (deed.key, deed.pickup, phones.is_busy) == ("key-1", None, True)
    assert not phones.breaches


class Todos:
    """A gateway with to-dos; what was cancelled is refused."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.asked.append(request.url.path)
            return httpx.Response(409 if "late" in request.url.path else 200, json={})
        rows = [
            {"id": id_, "title": f"Invite {id_}", "lead": {"id": "l"}, "step_id": "s2"}
            for id_ in ("early", "late")
        ]
        return httpx.Response(200, json={"items": rows, "next_cursor": None})


async def test_a_person_does_what_is_open_once_and_leaves_what_was_cancelled() -> None:
    todos = Todos()
    async with Gateway("http://us", transport=httpx.MockTransport(todos)) as gateway:
        hands = Hands(gateway)
        await hands.take_turn()
        await hands.take_turn()
    assert [deed.todo.id for deed in hands.deeds] == ["early"]
    assert len(todos.asked) == 2


def test_the_screen_tells_of_hands_and_phones() -> None:
    output = io.StringIO()
    screen, one = Screen(Console(file=output, width=200)), course()
    screen.conclude([one], make_report([one], steps=3, seconds=1))
    shown = output.getvalue()
    assert "By hand" in shown
    assert "1 invitations by hand and 1 calls" in shown
