"""The two bodies of an HTML mail: with its styles in place, and as text for who wants no HTML."""

import re

from css_inline import CSSInliner, InlineError
from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig
from lxml.etree import ParserError

from shared.providers.html_text import text_of_html

# Nothing is fetched: a template must not make us read files or call addresses.
_INLINER = CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
_AS_TEXT = ParserConfig(css=CSS_PROFILES["strict"], display_links=True)
_END_OF_BODY = re.compile(r"(?i)(</body\s*>|</html\s*>)(?![\s\S]*</body)")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*\n")


def with_styles_inline(html: str) -> str:
    """A whole document whose elements carry the rules of its style sheets."""
    try:
        return _INLINER.inline(html)
    except InlineError:
        # Rules that nobody can read: most mail programs leave them out as well.
        return html


def with_footer(html: str, footer: str) -> str:
    """The document with this as the last thing in its body."""
    end = _END_OF_BODY.search(html)
    place = end.start() if end else len(html)
    return f"{html[:place]}{footer}{html[place:]}"


def as_text(html: str) -> str:
    """What it says, laid out in lines; links keep their address."""
    try:
        text = get_text(html, _AS_TEXT).strip()
    except (ParserError, RecursionError, ValueError):
        text = ""
    # The parser gives up on what is nested hundreds deep.
    return _BLANK_LINES.sub("\n\n", text or text_of_html(html))
