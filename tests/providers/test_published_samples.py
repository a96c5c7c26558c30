"""Other people's samples, taken from where they publish them, are what their publishers say."""

from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest

from shared.providers.received import Kind, classify, read
from tests.providers.samples import make_mail, make_report

FAILED = frozenset({Kind.BOUNCE_HARD, Kind.BOUNCE_SOFT, Kind.BLOCKED})
WAITING = frozenset({Kind.DELAYED, Kind.BOUNCE_SOFT})

# flufl.bounce 4.0 (Apache 2.0), the bounce detector of GNU Mailman: 115 mails of 30 mail servers
# of the years 1999 to 2014. Its own table names which are no failures.
FLUFL = "flufl.bounce"
FLUFL_WAITING = [
    "dsn_05",
    "dsn_06",
    "dsn_07",
    "dsn_08",
    "dsn_17",
    "simple_03",
    "simple_21",
    "simple_22",
    "simple_28",
    "simple_35",
    "simple_40",
]
FLUFL_NO_REPORT = {"groupwise_03": Kind.REPLY, "qmail_08": Kind.AUTO_REPLY}
FLUFL_NUMBER = 115
# Of these the reason is said, so that more can be known than that they failed.
FLUFL_EXACT = {
    "dsn_11": Kind.BOUNCE_HARD,
    "dsn_12": Kind.BOUNCE_HARD,
    "dsn_13": Kind.BOUNCE_HARD,
    "dsn_15": Kind.BOUNCE_HARD,
    "exim_01": Kind.BOUNCE_HARD,
    "qmail_02": Kind.BOUNCE_SOFT,
    "qmail_04": Kind.BOUNCE_HARD,
    "simple_09": Kind.BOUNCE_SOFT,
    "simple_40": Kind.DELAYED,
    "simple_42": Kind.BLOCKED,
    "yahoo_03": Kind.BOUNCE_HARD,
    "yahoo_04": Kind.BOUNCE_SOFT,
}


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    raw: bytes
    expected: frozenset[Kind]


def _flufl() -> list[Sample]:
    files = distribution(FLUFL).files or []
    mails = [Path(str(f.locate())) for f in files if "tests/data" in str(f) and f.suffix == ".txt"]
    return [Sample(f"{FLUFL} {it.stem}", it.read_bytes(), _expected(it.stem)) for it in mails]


def _expected(stem: str) -> frozenset[Kind]:
    if stem in FLUFL_NO_REPORT:
        return frozenset({FLUFL_NO_REPORT[stem]})
    if stem in FLUFL_EXACT:
        return frozenset({FLUFL_EXACT[stem]})
    return WAITING if stem in FLUFL_WAITING else FAILED


def test_every_sample_of_the_bounce_detector_is_what_its_table_says() -> None:
    samples = _flufl()
    wrong = {
        sample.name: str(kind)
        for sample in samples
        if (kind := classify(read(sample.raw))) not in sample.expected
    }

    assert len(samples) == FLUFL_NUMBER
    assert wrong == {}


# Our own short mails, made after the examples of these documents.
_OTHER = "\nFinal-Recipient: rfc822; arathib@vnet.example\nAction: failed\nStatus: 5.0.0\n"
_FEEDBACK = b"""\
From: <abusedesk@example.com>
To: <sam@acme.test>
Subject: FW: Hello
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b1"

--b1
Content-Type: text/plain

This is an email abuse report.
--b1
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: <lea@lead.example>

--b1
Content-Type: message/rfc822

From: sam@acme.test
To: lea@lead.example
Message-ID: <sent-1@mail.gmail.com>
Subject: Hello

Hi
--b1--
"""
_DOCUMENTS = (
    (
        "RFC 3464 appendix E.1: gave up after a time-out",
        make_report(status="4.0.0", diagnosis="smtp; 426 connection timed out"),
        Kind.BOUNCE_SOFT,
    ),
    (
        "RFC 3464 appendix E.2: one of two is unknown",
        make_report(status="4.0.0", diagnosis="smtp; 426 timed out", more_recipients=_OTHER),
        Kind.BOUNCE_HARD,
    ),
    (
        "RFC 3464 appendix E.3: a gateway's report",
        make_report(status="5.0.0", diagnosis="x-local; 600 unknown user"),
        Kind.BOUNCE_HARD,
    ),
    (
        "RFC 3464 appendix E.4: still being tried",
        make_report(action="delayed", status="4.0.0", diagnosis="smtp; 426 timed out"),
        Kind.DELAYED,
    ),
    (
        "RFC 3461 section 10: relayed to where no reports are made",
        make_report(action="relayed", status="2.0.0", diagnosis=""),
        Kind.AUTO_REPLY,
    ),
    (
        "RFC 6533 section 3: in another script",
        make_report().replace(b"message/delivery-status", b"message/global-delivery-status"),
        Kind.BOUNCE_HARD,
    ),
    ("RFC 3463 section 3.3: mailbox full", make_report(status="5.2.2"), Kind.BOUNCE_SOFT),
    ("RFC 3463 section 3.8: not authorized", make_report(status="5.7.1"), Kind.BLOCKED),
    ("RFC 5965 appendix B.2: an abuse report", _FEEDBACK, Kind.COMPLAINT),
    (
        "RFC 5965 section 7.3: not spam",
        _FEEDBACK.replace(b"Type: abuse", b"Type: not-spam"),
        Kind.AUTO_REPLY,
    ),
    (
        "RFC 3834 section 5: on holiday",
        make_mail("I am on holiday.", subject="Auto: Hello", Auto_Submitted="auto-replied"),
        Kind.AUTO_REPLY,
    ),
    (
        "RFC 5230 section 5: Sieve's vacation",
        make_mail("Gone.", subject="Auto: Hello", Auto_Submitted="auto-replied (vacation)"),
        Kind.AUTO_REPLY,
    ),
    ("RFC 5322 appendix A.2: a reply", make_mail("Testing. I agree."), Kind.REPLY),
)


@pytest.mark.parametrize(
    ("raw", "kind"), [pytest.param(raw, kind, id=name) for name, raw, kind in _DOCUMENTS]
)
def test_the_documents_examples_are_what_they_say(raw: bytes, kind: Kind) -> None:
    assert classify(read(raw)) is kind


def test_a_complaint_names_the_mail_that_it_is_about() -> None:
    report = read(_FEEDBACK).report

    assert report is not None
    assert (report.recipients, report.message_ids) == (
        ("lea@lead.example",),
        ("<sent-1@mail.gmail.com>",),
    )
