"""Mails go out and come back the same, whatever stands in their fields."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.providers.mime import KEY_HEADER, Mail, key_of

HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from('\r\n\0\t\x0b\x0c\x85\u2028\u2029 "\\<>(),;:@.=?_\ud800😀ü'),
        st.sampled_from("abc"),
    ),
    max_size=300,
)
LONG_ID = f"<{'a' * 150}@eur.prod.outlook.example>"


def make_mail(**fields: Any) -> Mail:
    given_fields = {
        "key": "key-1",
        "sender": "sam@acme.test",
        "to": "lea@lead.example",
        "subject": "Hello",
        "text": "Hi Lea,\nhow are you?\n",
    }
    return Mail(**given_fields | fields)


def parse(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def shown(text: str) -> list[str]:
    """The words that a reader sees: line ends and controls are spaces."""
    printable = (
        " " if c < " " or "\x7f" <= c <= "\x9f" or c in "\u2028\u2029" else c for c in text
    )
    return "".join(printable).replace("\ud800", "?").split()


@given(name=HOSTILE, subject=HOSTILE, text=HOSTILE, extra=HOSTILE, key=HOSTILE)
@settings(max_examples=150, deadline=None)
def test_no_field_can_add_a_header_or_break_the_mail(
    name: str, subject: str, text: str, extra: str, key: str
) -> None:
    raw = make_mail(
        sender_name=name, subject=subject, text=text, key=key, headers=(("X-Extra", extra),)
    ).to_raw()
    message = parse(raw)

    assert sorted(message.keys()) == [
        "Content-Transfer-Encoding",
        "Content-Type",
        "From",
        "MIME-Version",
        "Subject",
        "To",
        "X-Drumbeat-Key",
        "X-Extra",
    ]
    [sender] = message["From"].addresses
    assert sender.addr_spec == "sam@acme.test"
    assert sender.display_name.split() == shown(name)
    assert message["Subject"].split() == shown(subject)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) < 998


@pytest.mark.parametrize(
    "subject",
    [
        "Frage zu Ihrer Küche in der Größe, die wir für Sie im nächsten Jahr vorgeschlagen hätten",
        "Two  spaces   stay",
        "=?utf-8?q?not=20an=20encoded=20word?=",
        "x" * 2000,
        "日本語の件名" * 30,
        "",
    ],
)
def test_a_subject_comes_back_to_the_letter(subject: str) -> None:
    assert parse(make_mail(subject=subject).to_raw())["Subject"] == subject


def test_ids_stay_whole_however_long_they_are() -> None:
    raw = make_mail(in_reply_to=LONG_ID, references=("<first@x>", LONG_ID)).to_raw()

    assert f"In-Reply-To: {LONG_ID}\r\n".encode() in raw
    assert parse(raw)["References"].split() == ["<first@x>", LONG_ID]


def test_the_parent_ends_the_references_even_when_nobody_said_so() -> None:
    message = parse(make_mail(in_reply_to="<b@x>", references=("<a@x>",)).to_raw())

    assert message["References"].split() == ["<a@x>", "<b@x>"]


def test_a_long_thread_keeps_its_first_and_its_newest_references() -> None:
    ids = tuple(f"<{number}@x>" for number in range(100))

    references = parse(make_mail(references=ids).to_raw())["References"].split()

    assert len(references) == 20
    assert (references[0], references[1], references[-1]) == ("<0@x>", "<81@x>", "<99@x>")


def test_what_is_no_message_id_is_left_out() -> None:
    message = parse(make_mail(in_reply_to="nonsense\r\nBcc: x@y.z", references=("ü",)).to_raw())

    assert message["In-Reply-To"] is None
    assert message["References"] is None
    assert message["Bcc"] is None


def test_text_and_html_are_two_views_of_one_mail() -> None:
    text, html = "Grüße\r\nvon   Sam\n" + "long " * 300 + "\n", "<p>Grüße &amp; 😀</p>\n"
    message = parse(make_mail(text=text, html=html).to_raw())

    assert message.get_content_type() == "multipart/alternative"
    parts = {part.get_content_type(): part.get_content() for part in message.iter_parts()}
    assert parts["text/plain"].replace("\r\n", "\n") == text.replace("\r\n", "\n")
    assert parts["text/html"].replace("\r\n", "\n") == html


def test_the_same_mail_has_the_same_bytes() -> None:
    fields = {"text": "Hi", "html": "<p>Hi"}

    assert make_mail(**fields).to_raw() == make_mail(**fields).to_raw()
    assert make_mail(**fields).to_raw() != make_mail(**fields | {"html": "<p>Hi!"}).to_raw()


def test_a_link_to_unsubscribe_is_not_cut() -> None:
    value = f"<https://acme.test/u/{'t' * 200}>, <mailto:unsub@acme.test>"
    raw = make_mail(headers=(("List-Unsubscribe", value),)).to_raw()

    assert f"List-Unsubscribe: {value}\r\n".encode() in raw


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "@x.example",
        "a@",
        "a@x.example\r\nBcc: b@y.example",
        "a b@x.example",
        "ü@x.de",
    ],
)
@pytest.mark.parametrize("field", ["sender", "to"])
def test_an_impossible_address_is_named(field: str, address: str) -> None:
    with pytest.raises(Invalid) as raised:
        make_mail(**{field: address}).to_raw()

    assert raised.value.field == field


def test_a_domain_in_another_script_goes_out_in_ascii() -> None:
    assert b"To: lea@xn--bcher-kva.example\r\n" in make_mail(to="lea@bücher.example").to_raw()


@pytest.mark.parametrize("name", ["Subject", "from", "X:Y", "", "X Y", "X\r\nBcc", "Content-Type"])
def test_a_header_that_is_ours_or_impossible_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as raised:
        make_mail(headers=((name, "value"),)).to_raw()

    assert raised.value.field == "headers"


def test_the_same_header_twice_is_refused() -> None:
    with pytest.raises(Invalid):
        make_mail(headers=(("X-A", "1"), ("x-a", "2"))).to_raw()


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        pytest.param(make_mail(key="abc_-1").to_raw(), "abc_-1", id="our own"),
        pytest.param(b"x-drumbeat-KEY: abc\n\nbody", "abc", id="another's line ends and case"),
        pytest.param(b"A: b\r\nX-Drumbeat-Key:\r\n abc\r\n\r\n", "abc", id="folded"),
        pytest.param(b"X-Drumbeat-Key: abc", "abc", id="nothing but the header"),
        pytest.param(b"A: b\r\n\r\nX-Drumbeat-Key: abc\r\n", None, id="quoted in the body"),
        pytest.param(b"X-Drumbeat-Key:\r\nA: b\r\n\r\n", None, id="empty"),
        pytest.param(b"A: X-Drumbeat-Key: abc\r\n\r\n", None, id="inside another header"),
        pytest.param(b"", None, id="no mail at all"),
    ],
)
def test_a_key_is_read_from_the_header_block_alone(raw: bytes, key: str | None) -> None:
    assert key_of(raw) == key


def test_the_key_travels_in_a_header_of_its_own() -> None:
    assert parse(make_mail(key="k" * 64).to_raw())[KEY_HEADER] == "k" * 64
