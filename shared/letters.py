"""The mail of one step for one lead, word for word: as it is sent, previewed and tested."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from shared.content import Values, fill_in, read_template
from shared.providers.html_mail import as_text, with_footer, with_styles_inline
from shared.providers.mime import Mail
from shared.templating.compiling import Compiled
from shared.templating.variables import Facts, values_of
from shared.tracking import Tracking, with_tracking

# In the company's own words instead, when it has set `opt_out_text`.
OPT_OUT_TEXT = "If you would rather not hear from us, unsubscribe here"
ONE_CLICK = "List-Unsubscribe=One-Click"
_SMALL = "margin:1.5em 0 0;font-size:12px;color:#666666"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """What a mail goes on with. Ids are Message-IDs, the oldest first."""

    message_id: str | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Templates, and what they are filled in with. `thread` None: it begins one."""

    key: str
    to: str
    subject: str
    body: str
    facts: Facts
    unsubscribe_url: str
    thread: Thread | None = None
    tracking: Tracking | None = None


def write_mail(letter: Letter) -> Mail:
    """Fill everything in. Raises MissingVariable when a template asks for what there is not."""
    facts, url = letter.facts, letter.unsubscribe_url
    values = values_of(facts, unsubscribe_url=url)
    subject = fill_in(read_template(letter.subject, field="subject", is_line=True), values)
    text, html = _bodies(letter.body, values, facts, url)
    if html and letter.tracking:
        html = with_tracking(html, letter.tracking)
    thread = letter.thread
    return Mail(
        key=letter.key,
        sender=facts.sender_email or "",
        sender_name=facts.sender_name,
        to=letter.to,
        subject=f"Re: {subject}" if thread else subject,
        text=text,
        html=html,
        in_reply_to=thread.message_id if thread else None,
        references=thread.references if thread else (),
        headers=(("List-Unsubscribe", f"<{url}>"), ("List-Unsubscribe-Post", ONE_CLICK)),
    )


def _bodies(body: str, values: Values, facts: Facts, url: str) -> tuple[str, str | None]:
    """Text, and HTML when the template is HTML."""
    template = read_template(body, field="message_template")
    if "sender.signature" in template.uses:
        values = _with_signature(values, is_html=template.is_html)
    filled = fill_in(template, values)
    below = _Below(template, facts, url)
    if not template.is_html:
        return _joined(filled, *below.signature_as_text(), below.as_text()), None
    html = with_styles_inline(filled)
    text = _joined(as_text(filled), *below.signature_as_text(), below.as_text())
    return text, with_footer(html, below.as_html())


def _with_signature(values: Values, *, is_html: bool) -> Values:
    """A mailbox's signature is HTML that its owner has written, and is printed as it is."""
    sender = dict(values["sender"])
    if signature := sender["signature"]:
        sender["signature"] = Markup(signature) if is_html else as_text(signature)  # noqa: S704 - the owner's own
    return {**values, "sender": sender}


class _Below:
    """What stands below each mail, unless its template has placed it already."""

    def __init__(self, template: Compiled, facts: Facts, url: str) -> None:
        settings: Mapping[str, Any] = facts.company.get("settings") or {}
        uses = template.uses
        self._url = None if "campaign.unsubscribe_url" in uses else url
        self._words = settings.get("opt_out_text") or OPT_OUT_TEXT
        is_placed = "company.postal_address" in uses
        self._address = None if is_placed else facts.company.get("postal_address")
        self._signature = None if "sender.signature" in uses else facts.signature

    def signature_as_text(self) -> tuple[str, ...]:
        return (as_text(self._signature),) if self._signature else ()

    def as_text(self) -> str:
        opt_out = f"{self._words}: {self._url}" if self._url else None
        return "\n".join(filter(None, (self._address, opt_out)))

    def as_html(self) -> str:
        parts = [Markup("<br>").join((self._address or "").splitlines())]
        if self._url:
            link = Markup('<a href="{}" style="color:#666666">{}</a>')
            parts.append(link.format(self._url, self._words))
        lines = Markup("<br>").join(part for part in parts if part)
        footer = Markup('<p style="{}">{}</p>').format(_SMALL, lines) if lines else Markup()
        return f"<div>{self._signature}</div>{footer}" if self._signature else footer


def _joined(*parts: str) -> str:
    """With an empty line between."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())
