"""The filters, named and meant as Django's and Jinja's are. All are pure and end soon.

Sources: Django's built-in filters and django.contrib.humanize; Jinja's list of filters.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from jinja2.runtime import Undefined
from markupsafe import Markup, escape

from shared.templating.bounds import LONGEST_VALUE, Fields, TooMuch, Unfit, has_value
from shared.templating.dates import formatted_date

MOST_PLACES = 10
_LARGEST_EXPONENT = 18
_THREE_DIGITS = re.compile(r"(?<=\d)(?=(?:\d{3})+$)")
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_TAG = re.compile(r"<[^<>]*>")


def shown(value: Any) -> Any:
    """What `{{ value }}` prints: a list as 'a, b and c'. Raises Unfit for what has no text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return sentence(value)
    if isinstance(value, Fields):
        raise Unfit(f"{value.path} is a group of values: name one of them")
    # An absent value raises here, and names itself.
    if value is None or isinstance(value, int | float | Decimal | date | Undefined):
        return "" if value is None else str(value)
    raise Unfit("It prints something that is no text, number, date or list")


def sentence(value: Any, word: Any = "and") -> Any:
    """a, b and c; `word` stands before the last one."""
    items = _texts(value)
    if len(items) < 2:
        return items[0] if items else ""
    return joined([joined(items[:-1], ", "), f" {_text(word)} ", items[-1]])


def joined(value: Any, separator: Any = "") -> Any:
    """The items one behind the other."""
    items, between = _texts(value), _text(separator)
    if sum(map(len, items)) + len(between) * len(items) > LONGEST_VALUE:
        raise TooMuch(f"A value in it grows beyond {LONGEST_VALUE} characters")
    # Where one item is HTML already, the others become it.
    is_html = any(isinstance(item, Markup) for item in items)
    return escape(between).join(items) if is_html else between.join(items)


def default(value: Any, instead: Any = "", is_for_false: Any = False) -> Any:
    """`instead` where there is no value; a third argument takes zero for none as well."""
    if isinstance(value, Undefined) or not has_value(value):
        return instead
    return instead if is_for_false and not value else value


def length(value: Any) -> int:
    if isinstance(value, Undefined):
        return 0
    return len(value) if isinstance(value, str | list | tuple) else len(_text(value))


def floatformat(value: Any, places: Any = -1) -> str:
    """Rounded to so many places; a negative number of places leaves out zeros, as in Django.

    A `g` behind the number groups the thousands: `floatformat:"2g"`.
    """
    wish = _text(places)
    is_grouped = wish.endswith("g")
    count = _whole(wish.removesuffix("g"))
    number = _number(value)
    rounded = _rounded(number, abs(count))
    if count < 0 and rounded == rounded.to_integral_value():
        rounded = _rounded(number, 0)
    # Zero has no sign.
    digits = f"{abs(rounded) if rounded == 0 else rounded:f}"
    return intcomma(digits) if is_grouped else digits


def intcomma(value: Any) -> str:
    """1234567.5 as 1,234,567.5."""
    digits = _text(value)
    _number(digits)
    whole, dot, rest = digits.partition(".")
    return _THREE_DIGITS.sub(",", whole) + dot + rest


def title(value: Any) -> str:
    """Every word with one capital, also behind an apostrophe: "Ada's House"."""
    return _WORD.sub(lambda word: word.group().capitalize(), _text(value))


def truncate(value: Any, most: Any = 255, is_whole: Any = False, end: Any = "…") -> str:
    """At most so many characters, at the end of a word unless `is_whole` False is given True."""
    text, limit, tail = _text(value), _whole(most), _text(end)
    if len(text) <= limit:
        return text
    kept = text[: max(0, limit - len(tail))]
    return (kept if is_whole else kept.rsplit(" ", 1)[0]) + tail


def truncatewords(value: Any, most: Any) -> str:
    words = _text(value).split()
    limit = max(0, _whole(most))
    return " ".join(words[:limit]) + (" …" if len(words) > limit else "")


def replace(value: Any, old: Any, new: Any) -> str:
    text, before, after = _text(value), _text(old), _text(new)
    if len(text) + text.count(before) * len(after) > LONGEST_VALUE:
        raise TooMuch(f"A value in it grows beyond {LONGEST_VALUE} characters")
    return text.replace(before, after)


def pluralize(value: Any, endings: Any = "s") -> str:
    """The ending for one or for many: `ies` after `y` is `pluralize:"y,ies"`."""
    count = len(value) if isinstance(value, list | tuple) else _number(value)
    one, comma, many = _text(endings).rpartition(",")
    return (one if comma else "") if count == 1 else many


def yesno(value: Any, words: Any = "yes,no") -> str:
    yes, _, no = _text(words).partition(",")
    return yes if value else no.partition(",")[0]


def add(value: Any, more: Any) -> Any:
    """The sum of two numbers, else both texts together, as in Django."""
    try:
        total = _number(value) + _number(more)
    except Unfit:
        return joined([value, more])
    return int(total) if total == total.to_integral_value() else float(total)


def rounded(value: Any, places: Any = 0) -> Any:
    count = _whole(places)
    result = _rounded(_number(value), count)
    return float(result) if count else int(result)


def as_int(value: Any, instead: Any = 0) -> Any:
    try:
        return int(_number(value))
    except Unfit:
        return instead


def as_float(value: Any, instead: Any = 0.0) -> Any:
    try:
        return float(_number(value))
    except Unfit:
        return instead


def striptags(value: Any) -> str:
    return " ".join(_TAG.sub(" ", _text(value)).split())


def linebreaksbr(value: Any) -> Markup:
    return Markup("<br>").join(escape(line) for line in _text(value).splitlines())


def first(value: Any) -> Any:
    return _some(value)[0]


def last(value: Any) -> Any:
    return _some(value)[-1]


def in_order(value: Any) -> list[Any]:
    items = _items(value)
    if all(isinstance(item, int | float) for item in items):
        return sorted(items)
    return sorted(items, key=lambda item: _text(item).casefold())


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": lambda value: abs(as_float(value)) if isinstance(value, float) else abs(_int(value)),
    "add": add,
    "capfirst": lambda value: _text(value)[:1].upper() + _text(value)[1:],
    "capitalize": lambda value: _text(value).capitalize(),
    "count": length,
    "cut": lambda value, part: replace(value, part, ""),
    "d": default,
    "date": lambda value, form="%-d %B %Y": formatted_date(_text(value), _text(form)),
    "default": default,
    "default_if_none": default,
    "e": escape,
    "escape": escape,
    "first": first,
    "float": as_float,
    "floatformat": floatformat,
    "int": as_int,
    "intcomma": intcomma,
    "join": joined,
    "last": last,
    "length": length,
    "linebreaksbr": linebreaksbr,
    "list": lambda value: list(_items(value)),
    "lower": lambda value: _text(value).lower(),
    "pluralize": pluralize,
    "replace": replace,
    "reverse": lambda value: list(reversed(_items(value))),
    "round": rounded,
    "sentence": sentence,
    "sort": in_order,
    "string": lambda value: _text(value),
    "striptags": striptags,
    "title": title,
    "trim": lambda value: _text(value).strip(),
    "truncate": truncate,
    "truncatechars": lambda value, most: truncate(value, most, True),
    "truncatewords": truncatewords,
    "unique": lambda value: list(dict.fromkeys(_texts(value))),
    "upper": lambda value: _text(value).upper(),
    "urlencode": lambda value: quote(_text(value), safe="/"),
    "wordcount": lambda value: len(_text(value).split()),
    "yesno": yesno,
}


def _text(value: Any) -> str:
    shown_value: str = shown(value)
    return shown_value


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, Undefined):
        str(value)
    if not isinstance(value, list | tuple):
        raise Unfit("It takes something for a list that is none")
    return value


def _some(value: Any) -> Sequence[Any]:
    items = value if isinstance(value, str) else _items(value)
    if not items:
        raise Unfit("It asks for an item of an empty list")
    return items


def _texts(value: Any) -> list[str]:
    return [_text(item) for item in ([*value] if isinstance(value, str) else _items(value))]


def _whole(value: Any) -> int:
    number = _number(value)
    if number != number.to_integral_value() or abs(number) > 10**6:
        raise Unfit("A filter needs a whole number here")
    return int(number)


def _int(value: Any) -> int:
    return int(_number(value))


def _number(value: Any) -> Decimal:
    text = _text(value).strip()
    try:
        number = Decimal(text) if len(text) <= 100 else Decimal("nan")
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or (number and abs(number.adjusted()) > _LARGEST_EXPONENT):
        raise Unfit("A filter needs a number here, and the value is none")
    return number


def _rounded(number: Decimal, places: int) -> Decimal:
    if not 0 <= places <= MOST_PLACES:
        raise Unfit(f"It rounds to more than {MOST_PLACES} places")
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
