"""Links in a mail that tell when it is opened or a link in it is clicked: signed, and no rows."""

import re
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from shared.domain.tracking import TrackingKind
from shared.keyring import Keyring

VERSION = b"\x01"
IDS_END = 1 + 3 * 16
LONGEST_TARGET = 1_500
_ATTRIBUTE = re.compile(r"""\s+([^\s=>/"']+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
_DROPPED_BY_BROWSERS = re.compile(r"[\t\r\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedLink:
    """Which mail a hit belongs to; `target`: where a click goes."""

    kind: TrackingKind
    company_id: UUID
    recipient_id: UUID
    step_id: UUID
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """What one mail asks for. `public_url`: of the gateway."""

    keyring: Keyring
    public_url: str
    company_id: UUID
    recipient_id: UUID
    step_id: UUID
    has_opens: bool = False
    has_clicks: bool = False

    @property
    def root(self) -> str:
        return self.public_url.rstrip("/")

    @property
    def pixel_url(self) -> str:
        return f"{self.root}/t/o/{self._sign(TrackingKind.OPEN)}.gif"

    def click_url(self, target: str) -> str:
        return f"{self.root}/t/c/{self._sign(TrackingKind.CLICK, target)}"

    def _sign(self, kind: TrackingKind, target: str = "") -> str:
        ids = self.company_id.bytes + self.recipient_id.bytes + self.step_id.bytes
        return self.keyring.sign_link(kind, VERSION + ids + target.encode())


def read_tracked_link(keyring: Keyring, kind: TrackingKind, token: str) -> TrackedLink | None:
    """None: the token is not ours, of another kind, or of a version that is not known here."""
    content = keyring.read_link(kind, token)
    if content is None or content[:1] != VERSION or len(content) < IDS_END:
        return None
    company, recipient, step = (content[at : at + 16] for at in range(1, IDS_END, 16))
    return TrackedLink(
        kind=kind,
        company_id=UUID(bytes=company),
        recipient_id=UUID(bytes=recipient),
        step_id=UUID(bytes=step),
        target=content[IDS_END:].decode() or None,
    )


def with_tracking(html: str, tracking: Tracking) -> str:
    """The same HTML with its links and a picture of one pixel leading through us, as asked.

    Nothing else changes, and the same mail gives the same bytes. Links to unsubscribe are left
    alone, as is all that is not http.
    """
    if tracking.has_clicks:
        html = _with_clicks(html, tracking)
    if tracking.has_opens:
        pixel = f'<img src="{tracking.pixel_url}" width="1" height="1" alt="" style="border:0">'
        place = html.lower().rfind("</body>")
        place = len(html) if place < 0 else place
        html = html[:place] + pixel + html[place:]
    return html


def _with_clicks(html: str, tracking: Tracking) -> str:
    finder = _AnchorFinder(html)
    parts, done = [], 0
    for place, tag in finder.found:
        parts += [html[done:place], _retarget(tag, tracking)]
        done = place + len(tag)
    return "".join([*parts, html[done:]])


def _retarget(tag: str, tracking: Tracking) -> str:
    for attribute in _ATTRIBUTE.finditer(tag):
        if attribute[1].lower() == "href" and attribute[2]:
            quoted = attribute[2]
            target = unescape(quoted[1:-1] if quoted[0] in "\"'" else quoted)
            target = _DROPPED_BY_BROWSERS.sub("", target).strip()
            if not _is_tracked(target, tracking.root):
                return tag
            begin, end = attribute.span(2)
            return f'{tag[:begin]}"{escape(tracking.click_url(target))}"{tag[end:]}'
    return tag


def _is_tracked(target: str, root: str) -> bool:
    try:
        parts = urlsplit(target)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_short = len(target.encode()) <= LONGEST_TARGET
    except ValueError:
        return False
    return is_web and is_short and not target.startswith((f"{root}/u/", f"{root}/t/"))


class _AnchorFinder(HTMLParser):
    """Finds where the tags of links are, and what is written in them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[tuple[int, str]] = []
        self._lines = [0, *(match.end() for match in re.finditer("\n", html))]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002 - the form is the library's
        text = self.get_starttag_text()
        if tag == "a" and text:
            line, column = self.getpos()
            self.found.append((self._lines[line - 1] + column, text))
