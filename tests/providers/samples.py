"""Mails as they come in. All are written by us, in the shape that the named source describes."""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from shared.providers.mime import Mail

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LEAD = "lea@lead.example"


def make_raw(key: str = "key-1", *, to: str = LEAD, in_reply_to: str | None = None) -> bytes:
    return Mail(
        key=key,
        sender="sam@acme.test",
        to=to,
        subject="Hello",
        text="Hi",
        in_reply_to=in_reply_to,
        headers=(("Message-ID", f"<{key}@acme.test>"),),
    ).to_raw()


def make_mail(
    text: str = "Sounds good.",
    *,
    sender: str = "Lea Lead <Lea@Lead.Example>",
    subject: str = "Re: Hello",
    html: str | None = None,
    **headers: str,
) -> bytes:
    """A plain reply. `headers` are named as in Python: Auto_Submitted is Auto-Submitted."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, "sam@acme.test", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def make_report(
    *,
    status: str = "5.1.1",
    action: str = "failed",
    diagnosis: str = "smtp; 550 No such user here",
    original: str = "message/rfc822",
    more_recipients: str = "",
) -> bytes:
    """RFC 3464 section 2 and its example in appendix E, with RFC 6522 around it."""
    return f"""\
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: sam@acme.test
Subject: Delivery Status Notification (Failure)
Auto-Submitted: auto-replied
In-Reply-To: <sent-1@mail.gmail.com>
References: <sent-1@mail.gmail.com>
X-Failed-Recipients: lea@lead.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=utf-8

Your mail could not be delivered to lea@lead.example.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Arrival-Date: Fri, 20 Nov 2026 04:00:00 -0800 (PST)

Final-Recipient: rfc822; Lea@lead.example
Action: {action}
Status: {status}
Remote-MTA: dns; mx.lead.example
Diagnostic-Code: {diagnosis}
{more_recipients}
--b1
Content-Type: {original}

From: sam@acme.test
To: lea@lead.example
Subject: Hello
Message-ID: <sent-1@mail.gmail.com>
X-Drumbeat-Key: key-1

Hi Lea, reply "stop" and I will unsubscribe you.
--b1--
""".replace("\n", "\r\n").encode()


EXIM_BOUNCE = b"""\
From: Mail Delivery System <Mailer-Daemon@mx.lead.example>
To: sam@acme.test
Subject: Mail delivery failed: returning message to sender
Auto-Submitted: auto-replied
X-Failed-Recipients: lea@lead.example, tom@lead.example

A message that you sent could not be delivered. This is a permanent error.

  lea@lead.example
    Unrouteable address

------ This is a copy of your message, including all the headers. ------

Message-ID: <sent-1@mail.gmail.com>
X-Drumbeat-Key: key-1
Subject: Hello
"""

QMAIL_BOUNCE = b"""\
From: MAILER-DAEMON@mx.lead.example
To: sam@acme.test
Subject: failure notice
Return-Path: <>

<lea@lead.example>:
Remote host said: 552 5.2.2 The mailbox is full.
"""

READ_RECEIPT = b"""\
From: lea@lead.example
To: sam@acme.test
Subject: Read: Hello
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="b1"

--b1
Content-Type: text/plain

Your mail was displayed.
--b1
Content-Type: message/disposition-notification

Final-Recipient: rfc822; lea@lead.example
Disposition: manual-action/MDN-sent-manually; displayed
--b1--
"""

GMAIL_REPLY = """\
Gerne, Dienstag passt!

Viele Grüße
Lea

Am Fr., 20. Nov. 2026 um 13:00 Uhr schrieb Sam Seller <sam@acme.test>:

> Hi Lea,
> you can unsubscribe at any time.
"""

OUTLOOK_REPLY = """\
Thanks, not now.

________________________________
From: Sam Seller <sam@acme.test>
Sent: Friday, November 20, 2026 1:00 PM
To: Lea Lead <lea@lead.example>
Subject: Hello

Hi Lea, please unsubscribe whenever you like.
"""
