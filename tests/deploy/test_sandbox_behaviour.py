"""The cast of the sandbox: repeatable, mixed as asked, and everybody answers once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from deploy.sandbox.behaviour import Answer, Behaviour, Manner, Person, cast_people
from deploy.sandbox.letters import Received
from deploy.sandbox.mailbox import InMailbox
from deploy.sandbox.people import Audience

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FORTY = [f"lead{number}@lead.test" for number in range(40)]


def person(**changes: object) -> Person:
    chosen: dict[str, object] = {
        "address": "anna@lead.test",
        "answer": Answer.REPLY,
        "after_mail": 2,
        "thinks_seconds": 1.5,
        "away_seconds": 10,
        "manner": Manner.PLAIN,
    }
    return Person(**(chosen | changes))  # type: ignore[arg-type]  # the test names real fields


def mail_to(address: str, number: int = 1) -> InMailbox:
    mail = EmailMessage()
    mail["To"] = f"Somebody <{address}>"
    received = Received(mail=mail, message_id=f"<{number}@us.test>")
    return InMailbox(id=f"m{number}", thread_id="t", at=NOW, received=received)


def test_the_same_seed_casts_the_same_people() -> None:
    first = cast_people(FORTY, seed=7, behaviour=Behaviour())
    assert cast_people(FORTY, seed=7, behaviour=Behaviour()) == first
    assert cast_people(FORTY, seed=8, behaviour=Behaviour()) != first


@pytest.mark.parametrize("seed", range(20))
def test_forty_people_have_every_kind_in_the_asked_shares(seed: int) -> None:
    people = cast_people(FORTY, seed=seed, behaviour=Behaviour()).values()
    kinds = Counter(someone.answer for someone in people)
    assert kinds == {"silent": 22, "reply": 8, "out_of_office": 4, "bounce": 3, "unsubscribe": 3}
    assert {p.manner for p in people if p.answer is Answer.REPLY} == set(Manner)


def test_a_small_share_still_occurs_and_no_share_never_does() -> None:
    behaviour = Behaviour(reply=0.01, out_of_office=0, bounce=0, unsubscribe=0)
    kinds = Counter(p.answer for p in cast_people(FORTY, seed=1, behaviour=behaviour).values())
    assert kinds == {Answer.SILENT: 39, Answer.REPLY: 1}


def test_fewer_people_than_kinds_are_cast_without_fuss() -> None:
    assert len(cast_people(FORTY[:2], seed=1, behaviour=Behaviour())) == 2


def test_bounces_and_absences_come_after_the_first_mail() -> None:
    people = cast_people(FORTY, seed=3, behaviour=Behaviour()).values()
    at_once = {Answer.BOUNCE, Answer.OUT_OF_OFFICE}
    assert {p.after_mail for p in people if p.answer in at_once} == {1}
    assert {p.after_mail for p in people} == {1, 2, 3}


@pytest.mark.parametrize(
    ("shares", "message"),
    [({"reply": 1.2}, "reply is 1.2"), ({"reply": 0.9, "bounce": 0.2}, "more than everybody")],
    ids=["a share above one", "shares that add up to too much"],
)
def test_impossible_shares_are_refused(shares: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Behaviour(**shares)


def test_a_person_answers_once_after_their_mail() -> None:
    audience = Audience({"anna@lead.test": person()})
    heard = [audience.hear(mail_to("ANNA@lead.test", number), NOW) for number in (1, 2, 3)]
    assert [intention is not None for intention in heard] == [False, True, False]
    assert heard[1] is not None
    assert heard[1].due_at == NOW + timedelta(seconds=1.5)
    assert (heard[1].mail_number, heard[1].mail.id) == (2, "m2")


def test_silent_people_and_strangers_do_not_answer() -> None:
    audience = Audience({"anna@lead.test": person(answer=Answer.SILENT, after_mail=1)})
    assert audience.hear(mail_to("anna@lead.test"), NOW) is None
    assert audience.hear(mail_to("nobody@lead.test"), NOW) is None
