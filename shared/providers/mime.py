"""A mail as RFC 5322 wants it, and the key by which we know our own again."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr
from hashlib import sha256

from shared.errors import Invalid

KEY_HEADER = "X-Drumbeat-Key"

_KEPT_REFERENCES = 20
_LONGEST_LINE = 900  # RFC 5322 section 2.1.1 allows 998
_MESSAGE_ID = re.compile(rf"<[!-;=?-~]{{1,{_LONGEST_LINE}}}>")
_HEADER_NAME = re.compile(r"[!-9;-~]{1,70}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LINE_END = re.compile(r"\r\n?|\n")
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_KEY = re.compile(
    rb"^" + KEY_HEADER.encode() + rb":(?:\r?\n)?[ \t]+(\S+)", re.IGNORECASE | re.MULTILINE
)
_CONTENT = SMTP.clone(cte_type="7bit")
_TAKEN = {"from", "to", "subject", "in-reply-to", "references", KEY_HEADER.lower()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to one person. `key` is ours and travels in `KEY_HEADER`.

    `in_reply_to` and `references` are Message-IDs with their angle brackets; what is none is left
    out. `headers` are further ones, such as List-Unsubscribe. No field can add a header: line
    ends become spaces.
    """

    key: str
    sender: str
    to: str
    subject: str
    text: str
    sender_name: str | None = None
    html: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    def to_raw(self) -> bytes:
        """The bytes to hand over. Raises Invalid, with the field, for an impossible address."""
        content = EmailMessage(policy=_CONTENT)
        content.set_content(_body(self.text))
        if self.html is not None:
            content.add_alternative(_body(self.html), subtype="html")
            # Made of the content, so that the same mail has the same bytes, and not in it.
            words = f"{self.text}\0{self.html}".encode("utf-8", "replace")
            content.set_boundary(f"=_{sha256(words).hexdigest()[:40]}")
        # Headers are written here, because EmailMessage of Python 3.11 loses spaces between
        # encoded words and encodes every Message-ID that is longer than a line.
        head = "".join(f"{name}: {value}\r\n" for name, value in self._headers())
        return head.encode("ascii") + content.as_bytes()

    def _headers(self) -> Iterator[tuple[str, str]]:
        yield "From", _mailbox(self.sender, name=self.sender_name or "", field="sender")
        yield "To", _mailbox(self.to, name="", field="to")
        yield "Subject", _words(self.subject)
        yield KEY_HEADER, _words(self.key)
        parents = _message_ids((self.in_reply_to or "",))[:1]
        references = _message_ids((*self.references, *parents))
        if parents:
            yield "In-Reply-To", parents[0]
        if references:
            yield "References", "\r\n ".join(_shortened(references))
        yield from self._further_headers()

    def _further_headers(self) -> Iterator[tuple[str, str]]:
        names = set(_TAKEN)
        for name, value in self.headers:
            is_ours = name.lower() in names or name.lower().startswith(("content-", "mime-"))
            if is_ours or not _HEADER_NAME.fullmatch(name):
                message = "A mail cannot carry this header: take it out of `headers`."
                raise Invalid(message, field="headers")
            names.add(name.lower())
            yield name, _words(value)


def key_of(raw: bytes) -> str | None:
    """Our key in a mail's own header block; a mail quoted or attached below does not count."""
    end = _END_OF_HEADERS.search(raw)
    found = _KEY.search(raw, 0, end.start() if end else len(raw))
    return found.group(1).decode("ascii", "replace") if found else None


def _mailbox(spec: str, *, name: str, field: str) -> str:
    local, _, domain = _one_line(spec).rpartition("@")
    try:
        # The domain goes out in ASCII; a local part has no such form and Gmail refuses it.
        address = f"{local}@{domain.encode('idna').decode()}"
        address.encode("ascii")
        Address(addr_spec=address)
    except (ValueError, IndexError, HeaderParseError) as error:
        message = f"This is not an e-mail address that can be used: correct `{field}`."
        raise Invalid(message, field=field) from error
    shown = _one_line(name)
    if _is_plain(shown):
        return formataddr((shown, address))
    return f"{_encoded(shown)} <{address}>"


def _words(text: str) -> str:
    line = _one_line(text)
    return line if _is_plain(line) else _encoded(line)


def _is_plain(line: str) -> bool:
    """What looks like an encoded word is encoded itself, or it would be read as one."""
    return line.isascii() and "=?" not in line and len(line) <= _LONGEST_LINE


def _encoded(line: str) -> str:
    return Header(line, "utf-8", header_name="Subject").encode(linesep="\r\n")


def _one_line(text: str) -> str:
    return _encodable(_UNPRINTABLE.sub(" ", text)).strip()


def _body(text: str) -> str:
    return _NOT_TEXT.sub("", _encodable(_LINE_END.sub("\n", text)))


def _encodable(text: str) -> str:
    """Half a character, as broken imports leave it, becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _message_ids(values: Iterable[str]) -> list[str]:
    found = (message_id for value in values for message_id in _MESSAGE_ID.findall(value))
    return list(dict.fromkeys(found))


def _shortened(references: list[str]) -> list[str]:
    """The first and the newest ones, as RFC 5322 section 3.6.4 allows for a long thread."""
    if len(references) <= _KEPT_REFERENCES:
        return references
    return [references[0], *references[1 - _KEPT_REFERENCES :]]
