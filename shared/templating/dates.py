"""Days and instants as people write them."""

import re
from datetime import datetime

from shared.templating.bounds import Unfit

LONGEST_FORM = 100
_WIDTH = re.compile(r"%[-_0^#]*\d")
# Django's letters in the codes of strftime.
_LETTERS = {
    **{letter: f"%{letter}" for letter in ("d", "m", "y", "Y", "H")},
    "j": "%-d",
    "n": "%-m",
    "G": "%-H",
    "g": "%-I",
    "h": "%I",
    "i": "%M",
    "s": "%S",
    "D": "%a",
    "l": "%A",
    "M": "%b",
    "F": "%B",
    "A": "%p",
}


def formatted_date(value: str, form: str) -> str:
    """ISO 8601 by the codes of strftime; a form without % is one of Django's."""
    if len(form) > LONGEST_FORM or _WIDTH.search(form):
        raise Unfit(f"A date's form has at most {LONGEST_FORM} characters and no widths")
    codes = form if "%" in form else "".join(_LETTERS.get(letter, letter) for letter in form)
    try:
        return datetime.fromisoformat(value).strftime(codes)
    except ValueError:
        raise Unfit("It formats something that is no date") from None
