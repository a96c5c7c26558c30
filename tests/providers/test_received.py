"""What came in, and what it is."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.providers.mime import Mail
from shared.providers.received import Kind, classify, kind_of_report, read, return_at
from tests.costs import cost
from tests.providers.samples import (
    EXIM_BOUNCE,
    GMAIL_REPLY,
    OUTLOOK_REPLY,
    QMAIL_BOUNCE,
    READ_RECEIPT,
    make_mail,
    make_report,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        pytest.param(make_mail(), Kind.REPLY, id="a reply"),
        pytest.param(make_mail(GMAIL_REPLY), Kind.REPLY, id="Gmail's reply in German"),
        pytest.param(make_mail(OUTLOOK_REPLY), Kind.REPLY, id="Outlook's reply"),
        pytest.param(make_mail(Auto_Submitted="no"), Kind.REPLY, id="RFC 3834 section 5.2: no"),
        pytest.param(
            make_mail(X_Auto_Response_Suppress="All"),
            Kind.REPLY,
            id="Exchange puts its hint on people's mails too",
        ),
        pytest.param(make_mail("", subject="Re: stop"), Kind.UNSUBSCRIBE, id="a mailto: link"),
        pytest.param(make_mail("Please remove me."), Kind.UNSUBSCRIBE, id="a request in words"),
        pytest.param(
            make_mail(Auto_Submitted="auto-replied (vacation)"),
            Kind.AUTO_REPLY,
            id="RFC 3834 section 5.2: auto-replied",
        ),
        pytest.param(
            make_mail("Unsubscribe", Auto_Submitted="auto-generated; x=y"),
            Kind.AUTO_REPLY,
            id="a machine asks for nothing",
        ),
        pytest.param(make_mail(X_Autoreply="yes"), Kind.AUTO_REPLY, id="X-Autoreply"),
        pytest.param(make_mail(X_Autorespond="1"), Kind.AUTO_REPLY, id="X-Autorespond"),
        pytest.param(make_mail(X_Autoresponder="1"), Kind.AUTO_REPLY, id="X-Autoresponder"),
        pytest.param(make_mail(Precedence="auto_reply"), Kind.AUTO_REPLY, id="Precedence"),
        pytest.param(make_mail(Precedence="Bulk"), Kind.AUTO_REPLY, id="a bulk mail"),
        pytest.param(make_mail(List_Id="<x.example>"), Kind.AUTO_REPLY, id="RFC 2919: a list"),
        pytest.param(make_mail(Return_Path="<>"), Kind.AUTO_REPLY, id="RFC 3834 section 3.3"),
        pytest.param(
            make_mail(sender="no-reply@lead.example"), Kind.AUTO_REPLY, id="nobody reads answers"
        ),
        pytest.param(
            make_mail(subject="Automatische Antwort: Hello"), Kind.AUTO_REPLY, id="Exchange, German"
        ),
        pytest.param(
            make_mail(subject="Réponse automatique : Hello"), Kind.AUTO_REPLY, id="Exchange, French"
        ),
        pytest.param(make_mail(subject="Out of Office"), Kind.AUTO_REPLY, id="a subject by hand"),
        pytest.param(READ_RECEIPT, Kind.AUTO_REPLY, id="RFC 8098: it was displayed"),
        pytest.param(make_report(), Kind.BOUNCE_HARD, id="RFC 3464: no such user"),
        pytest.param(make_report(status="4.4.1"), Kind.BOUNCE_SOFT, id="RFC 3464: given up"),
        pytest.param(
            make_report(status="5.0.0", diagnosis="smtp; 552 5.2.2 Mailbox full"),
            Kind.BOUNCE_SOFT,
            id="the diagnosis is more exact",
        ),
        pytest.param(
            make_report(status="5.7.1", diagnosis="smtp; 550 5.1.1 says a policy"),
            Kind.BLOCKED,
            id="an exact status beats the diagnosis",
        ),
        pytest.param(
            make_report(action="relayed", status="2.0.0"), Kind.AUTO_REPLY, id="it arrived"
        ),
        pytest.param(
            make_report().replace(b"Action: failed\r\n", b""), Kind.BOUNCE_SOFT, id="half a report"
        ),
        pytest.param(EXIM_BOUNCE, Kind.BOUNCE_HARD, id="Exim's words"),
        pytest.param(QMAIL_BOUNCE, Kind.BOUNCE_SOFT, id="qmail's words"),
        pytest.param(b"", Kind.REPLY, id="nothing at all"),
    ],
)
def test_a_mail_is_what_it_says_it_is(raw: bytes, kind: Kind) -> None:
    assert classify(read(raw)) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("5.1.1", Kind.BOUNCE_HARD),
        ("5.1.10", Kind.BOUNCE_HARD),
        ("5.2.1", Kind.BOUNCE_HARD),
        ("5.4.1", Kind.BOUNCE_HARD),
        ("5.0.0", Kind.BOUNCE_HARD),
        ("5.1.8", Kind.BOUNCE_SOFT),
        ("5.1.90", Kind.BOUNCE_SOFT),
        ("5.2.2", Kind.BOUNCE_SOFT),
        ("5.3.4", Kind.BOUNCE_SOFT),
        ("5.7.1", Kind.BLOCKED),
        ("5.7.26", Kind.BLOCKED),
        ("4.7.0", Kind.BOUNCE_SOFT),
        ("4.2.2", Kind.BOUNCE_SOFT),
    ],
)
def test_only_a_dead_address_is_a_hard_bounce(status: str, kind: Kind) -> None:
    assert kind_of_report("failed", status) is kind


def test_a_delayed_mail_is_not_lost_yet() -> None:
    assert kind_of_report("delayed", "5.1.1") is Kind.DELAYED


@pytest.mark.parametrize("original", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_names_the_mail_that_it_is_about(original: str) -> None:
    received = read(make_report(original=original))

    assert received.report is not None
    assert received.report.message_ids == ("<sent-1@mail.gmail.com>",)
    assert received.report.key == "key-1"
    assert received.report.recipients == ("lea@lead.example",)
    assert received.key is None
    assert received.in_reply_to == "<sent-1@mail.gmail.com>"


def test_a_report_in_words_names_it_too() -> None:
    report = read(EXIM_BOUNCE).report

    assert report is not None
    assert report.message_ids == ("<sent-1@mail.gmail.com>",)
    assert report.key == "key-1"
    assert report.recipients == ("lea@lead.example", "tom@lead.example")


def test_the_worst_of_several_recipients_counts() -> None:
    other = "\nFinal-Recipient: rfc822; tom@lead.example\nAction: failed\nStatus: 5.1.1\n"
    report = read(make_report(status="4.2.2", more_recipients=other)).report

    assert report is not None
    assert (report.status, len(report.recipients)) == ("5.1.1", 2)


def test_a_report_in_another_script_is_read_as_well() -> None:
    raw = make_report().replace(b"message/delivery-status", b"message/global-delivery-status")
    report = read(raw).report

    assert report is not None
    assert (report.status, report.recipients) == ("5.1.1", ("lea@lead.example",))


def test_a_reply_is_read_whole() -> None:
    raw = make_mail(
        GMAIL_REPLY,
        sender="=?utf-8?q?Lea_L=C3=A9ad=2C_CEO?= <Lea@Lead.Example>",
        subject="Re: Grüße",
        Message_ID="<reply-1@lead.example>",
        In_Reply_To="<b@x>",
        References="<a@x> <b@x>",
    )
    received = read(raw)

    assert (received.sender, received.sender_name) == ("lea@lead.example", "Lea Léad, CEO")
    assert received.subject == "Re: Grüße"
    assert received.message_id == "<reply-1@lead.example>"
    assert (received.in_reply_to, received.references) == ("<b@x>", ("<a@x>", "<b@x>"))
    assert received.reply_text == "Gerne, Dienstag passt!\n\nViele Grüße\nLea"
    assert "unsubscribe" in received.text


def test_our_own_mail_is_known_by_its_key() -> None:
    mail = Mail(key="k-1", sender="sam@acme.test", to="lea@lead.example", subject="s", text="t")

    assert read(mail.to_raw()).key == "k-1"


def test_a_mail_in_html_alone_is_read_as_text() -> None:
    html = (
        "<html><head><style>p {}</style><title>x</title></head><body><div>Yes &amp; no,<br>Lea"
        "</div><ul><li>one</li></ul><div class=gmail_quote>On Fri, 20 Nov 2026 Sam &lt;sam@acme."
        "test&gt; wrote:<blockquote><p>please unsubscribe</p></blockquote></div></body></html>"
    )
    raw = make_mail("", html=html)
    received = read(raw)

    assert received.reply_text == "Yes & no,\nLea\n- one"
    assert "> please unsubscribe" in received.text
    assert "p {}" not in received.text


def test_mails_that_nobody_should_write_are_read_all_the_same() -> None:
    raw = (
        b"From: =?x-unknown?q?=ff?= <<a@@b>\r\nSubject: \xff\xfe =?utf-8?b?%%?=\r\nDate: never\r\n"
        b"Content-Type: text/plain; charset=x-unknown\r\nContent-Transfer-Encoding: base64\r\n"
        b"References: <a@x\r\n\r\n%%%gr\xfc\xdfe"
    )
    received = read(raw)

    assert received.references == ()
    assert classify(received) is Kind.REPLY


@pytest.mark.parametrize(
    ("headers", "message_id", "sender"),
    [
        pytest.param(b"Message-ID: <a@[b]c@d>\r\nFrom: x@y.z", "<a@[b]c@d>", "x@y.z", id="odd id"),
        pytest.param(b"Message-ID: <a@[\r\n", None, "", id="half an id"),
        pytest.param(b"Message-ID: <a@[ b.c(@\xff", None, "", id="an id that is none"),
        pytest.param(b'From: "', None, "", id="half a name"),
        pytest.param(b"From: group:;x@y.z", None, "", id="a group"),
    ],
)
def test_headers_that_the_library_cannot_parse_are_taken_as_they_are(
    headers: bytes, message_id: str | None, sender: str
) -> None:
    received = read(headers + b"\r\n\r\nHi")

    assert (received.message_id, received.sender) == (message_id, sender)


@given(raw=st.binary(max_size=500), header=st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_reading_never_fails(raw: bytes, header: str) -> None:
    hostile = b"From: " + header.encode() + b"\r\nContent-Type: " + header.encode() + b"\r\n" + raw
    for mail in (raw, hostile, make_report() + raw):
        received = read(mail)
        classify(received)
        return_at(received, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "On " + "a b " * 25_000,
        "On x\n" * 20_000,
        "\n" * 100_000,
        "> " * 50_000,
        "From: x\n" * 12_000,
        "until 1.1. " * 9_000,
        "stop " * 20_000,
        "<div>" * 20_000,
        "please remove " * 7_000,
    ],
    ids=lambda text: text[:10],
)
def test_a_hostile_mail_costs_little_time(text: str) -> None:
    def work() -> None:
        for raw in (make_mail(text), make_mail("", html=text)):
            received = read(raw)
            classify(received)
            return_at(received, NOW)

    assert cost(work) < 200


def test_an_automatic_answer_says_when_its_sender_is_back() -> None:
    raw = make_mail("I will be back on 2026-11-23 09:15:30 UTC.", Auto_Submitted="auto-replied")

    assert return_at(read(raw), NOW) == datetime(2026, 11, 23, 9, 15, 30, tzinfo=UTC)


def test_a_return_in_the_subject_counts() -> None:
    raw = make_mail("Thanks for your mail.", subject="Out of office until 24 November")

    assert return_at(read(raw), NOW) == datetime(2026, 11, 24, tzinfo=UTC)
