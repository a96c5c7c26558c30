"""What people write back is what real people's programs write."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default

import pytest

from deploy.sandbox.behaviour import Answer, Manner, Person
from deploy.sandbox.letters import Received, write_answer

NOW = datetime(2026, 3, 2, 9, 0, 0, 500_000, tzinfo=UTC)


def answer_of(kind: Answer, manner: Manner = Manner.PLAIN) -> EmailMessage:
    """The answer as it is read at the other end."""
    person = Person(
        address="anna@lead.test",
        answer=kind,
        after_mail=1,
        thinks_seconds=1,
        away_seconds=10,
        manner=manner,
    )
    written = write_answer(person, received(), NOW).as_bytes(policy=SMTP)
    return message_from_bytes(written, policy=default)


def received() -> Received:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Sam <sam@us.test>", "Anna <anna@lead.test>"
    mail["Subject"] = "Grüße, Anna"
    mail["References"] = "<first@us.test>"
    mail["X-Drumbeat-Key"] = "k-1"
    mail.set_content("Hello Anna,\nshall we talk?")
    return Received(mail=mail, message_id="<second@us.test>")


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("kind", [kind for kind in Answer if kind is not Answer.SILENT])
def test_every_answer_names_the_mail_that_it_answers(kind: Answer) -> None:
    mail = answer_of(kind)
    assert mail["In-Reply-To"] == "<second@us.test>"
    assert mail["References"] == "<first@us.test> <second@us.test>"
    assert mail["To"] == "sam@us.test"
    assert mail["Message-ID"]


def test_a_reply_comes_from_the_person_under_the_same_subject() -> None:
    mail = answer_of(Answer.REPLY)
    assert (mail["From"], mail["Subject"]) == ("anna@lead.test", "Re: Grüße, Anna")
    assert mail["Auto-Submitted"] is None


def test_a_quoting_reply_carries_our_text_behind_its_own() -> None:
    lines = text_of(answer_of(Answer.REPLY, Manner.QUOTING)).splitlines()
    assert lines[-2:] == ["> Hello Anna,", "> shall we talk?"]
    assert lines[-3].endswith("sam@us.test wrote:")


def test_a_german_reply_survives_the_transport() -> None:
    assert "nächste Woche" in text_of(answer_of(Answer.REPLY, Manner.GERMAN))


def test_somebody_who_wants_no_more_says_so_in_words() -> None:
    assert "unsubscribe me" in text_of(answer_of(Answer.UNSUBSCRIBE))


def test_an_out_of_office_is_marked_and_says_when_it_ends() -> None:
    mail = answer_of(Answer.OUT_OF_OFFICE)
    assert mail["Auto-Submitted"] == "auto-replied"
    assert "back on 2026-03-02 09:00:10 UTC" in text_of(mail)


def test_a_bounce_is_a_delivery_report_with_the_original_headers() -> None:
    mail = answer_of(Answer.BOUNCE)
    assert mail.get_content_type() == "multipart/report"
    assert mail["Content-Type"].params["report-type"] == "delivery-status"
    assert "mailer-daemon@" in mail["From"]
    assert mail["X-Failed-Recipients"] == "anna@lead.test"
    words, status, original = mail.iter_parts()
    assert words.get_content_type() == "text/plain"
    _, of_message, of_recipient = status.walk()
    assert of_message["Reporting-MTA"] == "dns; googlemail.com"
    assert (of_recipient["Action"], of_recipient["Status"]) == ("failed", "5.1.1")
    assert of_recipient["Final-Recipient"] == "rfc822; anna@lead.test"
    assert original.get_content_type() == "text/rfc822-headers"
    assert "Message-ID: <second@us.test>" in original.get_content()
    assert "X-Drumbeat-Key: k-1" in original.get_content()


def test_a_silent_person_writes_nothing() -> None:
    with pytest.raises(ValueError, match="silent"):
        answer_of(Answer.SILENT)
