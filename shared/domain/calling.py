"""Whether an AI agent may call somebody, and when. Pure; what is not known to be allowed is not.

The rules are short on purpose and lean to the safe side. They are no legal advice.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from shared.domain.calendar import Calendar
from shared.domain.windows import Opening, Window, joined

# Of the callee. 47 CFR 64.1200(c)(1) for the United States, and taken for everybody else.
FIRST_HOUR, LAST_HOUR = 8, 21

_EEA = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS"}
    | {"IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}
)
_EEA_SOURCE = "Directive 2002/58/EC (ePrivacy), article 13(1), on automated calling systems"
# Where we know the law that asks for consent before a machine's voice calls. Any other country
# asks for it too, as far as we know, unless the company says that it does not.
SOURCES: dict[str, str] = {
    "US": "the TCPA, 47 U.S.C. 227(b), with the FCC's ruling 24-17 on voices made by AI",
    "CA": "the CRTC's rules for automatic dialing-announcing devices",
    "GB": "the Privacy and Electronic Communications Regulations 2003, regulation 19",
    **dict.fromkeys(_EEA, _EEA_SOURCE),
}

_AGAINST = re.compile(
    r"(?i)\b(no|not|none|never|false|0|without|denied|refused|declined|revoked|withdrawn|withdrew"
    r"|expired|pending|unknown|opt(ed)?[- ]?out|unsubscribed?|nein|nicht|keine?|widerrufen|non"
    r"|pas|ninguno|geen|nee)\b|\bn/a\b|^\W*$"
)
_FOR_CALLS = re.compile(
    r"(?i)\b(calls?|called|calling|phone|telephone|tcpa|all channels|everything|yes|true"
    r"|anrufe?n?|telefon\w*|ja|appels?|téléphone|oui|llamadas?|teléfono|sí|chiamate|bellen)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """Where a phone rings. `countries`: ISO 3166, the number's and, if another, the lead's.

    `hours`: when it is a good time wherever the lead may be; None: there is `trouble`.
    `trouble`: why this number cannot be called at all.
    """

    countries: tuple[str, ...] = ()
    hours: Opening | None = None
    trouble: str | None = None


def hours_of(calendars: Iterable[Calendar]) -> Opening | None:
    """From eight in the morning to nine in the evening on all days but public holidays."""
    day = ((FIRST_HOUR * 3_600, LAST_HOUR * 3_600),)
    return joined(*(Window(hours=(day,) * 7, calendar=it) for it in calendars))


def why_denied(callee: Callee, *, consent: str | None, exempt: Collection[str] = ()) -> str | None:
    """Why nobody may call there, in words for people; None: it is allowed, in the callee's hours.

    `exempt`: the countries that the company has looked into and that ask for no consent. Where
    we know a law that does, saying so changes nothing.
    """
    if callee.trouble:
        return callee.trouble
    asking = [it for it in callee.countries if it in SOURCES or it not in exempt]
    if not asking or consents_to_calls(consent):
        return None
    country = asking[0]
    source = SOURCES.get(country)
    rule = f"asks for it ({source})" if source else "may ask for it: we know of no rule there"
    return f"No consent to calls is recorded, and {country} {rule}. {_remedy(consent)}"


def consents_to_calls(consent: str | None) -> bool:
    """Whether what was recorded says that calls are welcome. In doubt it does not."""
    if consent is None or _AGAINST.search(consent):
        return False
    return _FOR_CALLS.search(consent) is not None


def _remedy(consent: str | None) -> str:
    said = (consent or "").strip()
    if said:
        return f"The lead's `consent` ({said[:80]!r}) does not say that calls are welcome"
    return "Write into the lead's `consent` when and how it was given: `calls: 2026-03-01, form`"
