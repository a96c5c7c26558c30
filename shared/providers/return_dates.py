"""When somebody who is away will be back, from what the automatic answer says.

Known are dates in figures and in words of six languages, with or without a year, and days of the
week. A date counts only beside a word such as "back" or "until": others are about something else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

_FARTHEST = timedelta(days=366)
_BEFORE = 60  # characters between "I will be back" and its date
_AFTER = 30  # characters between a date and "wieder erreichbar"

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janv janvier ene enero gen gennaio januari",
            "feb february februar févr février febrero febbraio februari",
            "mar mars march mär märz marzo maart mrt",
            "apr april avr avril abr abril aprile",
            "may mai mayo maggio mag mei",
            "jun june juni juin junio giugno giu",
            "jul july juli juil juillet julio luglio lug",
            "aug august août ago agosto augustus",
            "sep sept september septembre septiembre settembre set",
            "oct october okt oktober octobre octubre ottobre ott",
            "nov november novembre noviembre",
            "dec december dez dezember déc décembre dic diciembre dicembre",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday montag lundi lunes lunedì maandag",
            "tuesday dienstag mardi martes martedì dinsdag",
            "wednesday mittwoch mercredi miércoles mercoledì woensdag",
            "thursday donnerstag jeudi jueves giovedì donderdag",
            "friday freitag vendredi viernes venerdì vrijdag",
            "saturday samstag sonnabend samedi sábado sabato zaterdag",
            "sunday sonntag dimanche domingo domenica zondag",
        )
    )
    for name in names.split()
}


def _any_of(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_CLOCK = (
    r"(?:(?:\s*,?\s*(?:at|um|à|a las|alle(?: ore)?|om)\s+|T|,?\s+)"
    r"(?P<hour>[0-2]?\d)(?:[:.h](?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?)"
    r"(?:\.\d+)?\s*(?P<half>[ap]\.?m\b)?\s*(?P<zone>UTC|GMT|Z\b|[+-]\d\d:?\d\d)?)?"
)
_DATES = tuple(
    re.compile(pattern + _CLOCK, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>20\d\d)-(?P<month>[01]\d)-(?P<day>[0-3]\d)",
        r"(?<![\d.])(?P<day>[0-3]?\d)\.\s?(?P<month>[01]?\d)\.(?:\s?(?P<year>20\d\d|\d\d\b)|(?!\d))",
        r"\b(?P<day>[0-3]?\d)[/-](?P<month>[0-3]?\d)(?:[/-](?P<year>20\d\d|\d\d\b))",
        rf"\b(?P<day>[0-3]?\d)(?:st|nd|rd|th|er|\.|º)?\s+(?:of\s+|de\s+)?(?P<name>{_any_of(_MONTHS)})"
        r"\b\.?(?:,?\s+(?:de[l]?\s+)?(?P<year>20\d\d))?",
        rf"\b(?P<name>{_any_of(_MONTHS)})\b\.?\s+(?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b"
        r"(?:,?\s+(?P<year>20\d\d))?",
    )
)
_WEEKDAY = re.compile(rf"\b(?P<weekday>{_any_of(_WEEKDAYS)})\b", re.IGNORECASE)
_CUE = re.compile(
    r"(?i)\b(back|return|returns|returning|until|till|through|thru|to|again|as of|starting|from"
    r"|ab|bis|zurück|wieder|einschließlich|jusqu|retour|partir|au|hasta|regreso|regresaré|vuelta"
    r"|vuelvo|volveré|al|fino|rientro|rientrerò|ritorno|torno|tornerò|dal|tot|terug|weer|vanaf"
    r"|t/m)\b"
)
_CUE_AFTER = re.compile(r"(?i)^\W*(?:\w+\W+){0,3}?(zurück|wieder|back|de retour|terug|weer)\b")
_INCLUSIVE = re.compile(r"(?i)(through|thru|einschließlich|inclusive|inclus\w*|t/m|incluido)\W*$")


@dataclass(frozen=True, slots=True)
class _Found:
    at: datetime
    start: int
    end: int


def find_return(text: str, now: datetime) -> datetime | None:
    """The last date ahead that is said to be the return; a day without a time is 0:00 UTC."""
    text = text[:5000]
    dates = [found for found in _dates(text, now) if _is_return(text, found)]
    ahead = [found.at for found in dates if now < found.at <= now + _FARTHEST]
    if ahead or dates:
        return max(ahead, default=None)
    return _weekday(text, now)


def _dates(text: str, now: datetime) -> Iterator[_Found]:
    taken: list[range] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if any(match.start() in span for span in taken):
                continue
            at = _moment(match, now)
            if at is not None:
                taken.append(range(match.start(), match.end()))
                is_inclusive = _INCLUSIVE.search(text[: match.start()]) is not None
                yield _Found(at + timedelta(days=is_inclusive), match.start(), match.end())


def _is_return(text: str, found: _Found) -> bool:
    sentence = re.split(r"[!?\n]\s|\.\s+(?=[A-ZÄÖÜÉ])", text[: found.start][-_BEFORE:])[-1]
    after = text[found.end : found.end + _AFTER]
    return bool(_CUE.search(sentence) or _CUE_AFTER.search(after))


def _moment(match: re.Match[str], now: datetime) -> datetime | None:
    parts = match.groupdict()
    month = _MONTHS[parts["name"].lower()] if parts.get("name") else int(parts["month"])
    day = _day(parts["year"], month, int(parts["day"]), now)
    if day is None:
        return None
    return datetime.combine(day, _time(parts), _zone(parts["zone"])).astimezone(UTC)


def _day(year: str | None, month: int, day: int, now: datetime) -> date | None:
    if month > 12:  # 11/24/2026 can only be the American order
        month, day = day, month
    try:
        if year is not None:
            return date(int(year) + (2000 if len(year) == 2 else 0), month, day)
        # Without a year it is the nearest one: 2 January, said in December, is next year's.
        candidates = [date(now.year + offset, month, day) for offset in (0, 1)]
    except ValueError:
        return None
    is_past = now.date() - candidates[0] > timedelta(days=180)
    return candidates[1] if is_past else candidates[0]


def _time(parts: dict[str, str | None]) -> time:
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    if parts["half"] and hour <= 12:
        hour = hour % 12 + (12 if parts["half"].lower().startswith("p") else 0)
    return time(hour, minute, second) if hour < 24 else time()


def _zone(name: str | None) -> timezone:
    if name is None or name[0] not in "+-":
        return UTC
    minutes = int(name[1:3]) * 60 + int(name[-2:])
    return timezone(timedelta(minutes=-minutes if name[0] == "-" else minutes))


def _weekday(text: str, now: datetime) -> datetime | None:
    for match in _WEEKDAY.finditer(text):
        if _is_return(text, _Found(now, match.start(), match.end())):
            days = (_WEEKDAYS[match["weekday"].lower()] - now.weekday() - 1) % 7 + 1
            return datetime.combine(now.date() + timedelta(days=days), time(), UTC)
    return None
