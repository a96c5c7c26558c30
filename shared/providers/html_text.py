"""The text of an HTML mail. What it quotes is marked with ">", as in a plain mail."""

import re
from html.parser import HTMLParser

_UNSEEN = {"style", "script", "head", "title", "template"}
_OWN_LINE = {"p", "div", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6"} | {
    "blockquote",
    "hr",
    "pre",
}
_SPACES = re.compile(r"[ \t\r\n\xa0]+")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._line = ""
        self._unseen = 0
        self._quotes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # the base class names it
        if tag in _UNSEEN:
            self._unseen += 1
        if tag == "br" or tag in _OWN_LINE:
            self.end_line(keep_empty=tag in {"br", "p"})
        if tag == "blockquote":
            self._quotes += 1
        if tag == "li":
            self._line = "- "

    def handle_endtag(self, tag: str) -> None:
        if tag in _OWN_LINE:
            self.end_line(keep_empty=tag == "p")
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        if tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._line += _SPACES.sub(" ", data)

    def end_line(self, *, keep_empty: bool = False) -> None:
        line = self._line.strip()
        if line or keep_empty:
            self.lines.append("> " * self._quotes + line)
        self._line = ""


def text_of_html(html: str) -> str:
    reader = _Text()
    reader.feed(html)
    reader.close()
    reader.end_line()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(reader.lines)).strip()
