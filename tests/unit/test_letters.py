"""The mail itself: both its bodies, its headers, and what stands below it."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default

import pytest

from shared.content import MissingVariable
from shared.letters import Letter, Thread, write_mail
from shared.templating.variables import Facts

URL = "https://drumbeat.test/u/token"
FACTS = Facts(
    lead={"first_name": "Ada", "email": "ada@example.test", "custom": {}},
    company={"name": "Acme", "postal_address": "1 Mill Lane\nBath", "settings": {}},
    product={"name": "Engine", "description": None},
    campaign_name="Spring",
    campaign_type="email",
    campaign_created_at=datetime(2026, 3, 2, tzinfo=UTC),
    sender_email="sam@acme.test",
    sender_name="Sam Söder",
    signature=None,
)
LETTER = Letter(
    key="key-1",
    to="ada@example.test",
    subject="Hello {{ lead.first_name }}",
    body="Hello {{ lead.first_name }},\n\nthis is {{ sender.name }} of {{ company.name }}.\n",
    facts=FACTS,
    unsubscribe_url=URL,
)
HTML = (
    "<html><head><style>p { color: #ff0000 } @media print { p { color: black } }</style></head>"
    "<body><h1>Hello {{ lead.first_name }}</h1><p>Read <a href='https://acme.test/a?b=1&amp;c=2'>"
    "this</a></p></body></html>"
)


def read(letter: Letter) -> EmailMessage:
    message = message_from_bytes(write_mail(letter).to_raw(), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def bodies(letter: Letter) -> tuple[str, str]:
    message = read(letter)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return text_of(plain), text_of(html)


def text_of(part: MIMEPart) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


def test_plain_text_stays_plain_text() -> None:
    message = read(LETTER)

    assert message.get_content_type() == "text/plain"
    assert text_of(message) == (
        "Hello Ada,\n\nthis is Sam Söder of Acme.\n\n1 Mill Lane\nBath\n"
        f"If you would rather not hear from us, unsubscribe here: {URL}\n"
    )
    assert message["Subject"] == "Hello Ada"
    assert message["From"] == "Sam Söder <sam@acme.test>"


def test_html_has_its_text_beside_it() -> None:
    message = read(replace(LETTER, body=HTML))
    plain, html = bodies(replace(LETTER, body=HTML))

    assert message.get_content_type() == "multipart/alternative"
    # RFC 2046, section 5.1.4: what is preferred comes last.
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert plain.startswith("Hello Ada\n\nRead [this](https://acme.test/a?b=1&c=2)\n\n1 Mill Lane")
    assert plain.rstrip().endswith(URL)
    assert re.search(r'<p style="color: ?#ff0000;?">Read', html)
    assert "@media print" in html


def test_what_stands_below_is_inside_the_body() -> None:
    _, html = bodies(replace(LETTER, body=HTML))

    footer, end = html.index("1 Mill Lane<br>Bath<br>"), html.index("</body>")
    assert footer < html.index(f'href="{URL}"') < end


def test_one_click_is_offered_in_the_headers() -> None:
    """RFC 8058, section 3.1."""
    message = read(LETTER)

    assert message["List-Unsubscribe"] == f"<{URL}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("body", [LETTER.body, HTML], ids=["text", "html"])
def test_a_template_may_place_the_link_and_the_address_itself(body: str) -> None:
    placed = "Stop: {{ campaign.unsubscribe_url }}, {{ company.postal_address }} "

    plain = read(replace(LETTER, body=placed + body)).get_body(("plain",))

    assert plain is not None
    assert text_of(plain).count(URL) == 1
    assert text_of(plain).count("1 Mill Lane") == 1


def test_a_mailboxs_signature_stands_below_both_bodies() -> None:
    facts = replace(FACTS, signature="<div>Sam<br><b>Acme</b> &amp; Co</div>")

    plain, html = bodies(replace(LETTER, body=HTML, facts=facts))
    text = text_of(read(replace(LETTER, facts=facts)))

    assert "Sam\nAcme & Co" in plain
    assert "<b>Acme</b> &amp; Co" in html
    assert text.index("Sam\nAcme & Co") < text.index("1 Mill Lane")


def test_a_signature_that_the_template_prints_is_not_repeated() -> None:
    facts = replace(FACTS, signature="<b>Sam &amp; Co</b>")
    placed = "{{ sender.signature }}"

    _, html = bodies(replace(LETTER, body=f"<p>Hi</p>{placed}", facts=facts))
    text = text_of(read(replace(LETTER, body=f"Hi\n{placed}", facts=facts)))

    assert html.count("<b>Sam &amp; Co</b>") == 1
    assert text.startswith("Hi\nSam & Co\n")
    assert text.count("Sam & Co") == 1


def test_a_follow_up_answers_the_mail_before() -> None:
    thread = Thread(message_id="<2@x.test>", references=("<1@x.test>", "<2@x.test>"))

    message = read(replace(LETTER, thread=thread))

    assert message["Subject"] == "Re: Hello Ada"
    assert message["In-Reply-To"] == "<2@x.test>"
    assert message["References"] == "<1@x.test> <2@x.test>"


EVIL = "Ada\r\nBcc: all@evil.test\r\n\r\n<p>Hi\u2028X-Evil: 1\x00\x0b\x85"


@pytest.mark.parametrize("field", ["subject", "body", "html", "name", "company"])
def test_no_value_adds_a_header(field: str) -> None:
    """RFC 5322, section 2.2: a line end in a value would begin one."""
    lead = {**FACTS.lead, "first_name": EVIL}
    letters = {
        "subject": replace(LETTER, subject="{{ lead.first_name }}"),
        "body": LETTER,
        "html": replace(LETTER, body=HTML),
        "name": replace(LETTER, facts=replace(FACTS, sender_name=EVIL)),
        "company": replace(
            LETTER, facts=replace(FACTS, company={"name": EVIL, "postal_address": EVIL})
        ),
    }
    letter = letters[field]

    message = read(replace(letter, facts=replace(letter.facts, lead=lead)))

    assert set(message.keys()) == {
        *("From", "To", "Subject", "X-Drumbeat-Key", "List-Unsubscribe", "List-Unsubscribe-Post"),
        *("Content-Type", "MIME-Version"),
    } | ({"Content-Transfer-Encoding"} if not message.is_multipart() else set())
    assert message["To"] == "ada@example.test"


def test_what_a_lead_brings_is_no_markup() -> None:
    facts = replace(FACTS, lead={**FACTS.lead, "first_name": "<script>x()</script>"})

    plain, html = bodies(replace(LETTER, body=HTML, facts=facts))

    assert "<script>" not in html
    assert "<script>x()</script>" in plain


def test_nothing_is_fetched_for_a_style_sheet() -> None:
    sheet = "<link rel='stylesheet' href='http://127.0.0.1:1/a.css'><p>Hello</p>"

    plain, _ = bodies(replace(LETTER, body=sheet))

    assert plain.startswith("Hello")


@pytest.mark.parametrize(
    "body", ["<div>" * 3_000 + "Hello", "<p>Hello<table><b></i></p>", "<p>Hello</body></html>"]
)
def test_broken_html_is_still_a_mail(body: str) -> None:
    plain, html = bodies(replace(LETTER, body=body))

    assert plain.startswith("Hello")
    assert URL in html


def test_nothing_is_sent_with_a_hole() -> None:
    with pytest.raises(MissingVariable, match=r"lead\.city"):
        write_mail(replace(LETTER, body="{{ lead.city }}"))
    with pytest.raises(MissingVariable, match=r"lead\.city"):
        write_mail(replace(LETTER, subject="{{ lead.city }}"))
