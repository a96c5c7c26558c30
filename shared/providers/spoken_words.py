"""Whether somebody says on the phone that they are not to be called again.

An order counts; "not today" and "how do I stop" do not. What is missed here the agent's own
verdict may still say.
"""

import re
from collections.abc import Iterable

from shared.providers.stop_words import asks_to_stop

_LATER = (
    r"(?!\W+(before|until|till|this|today|tonight|tomorrow|now|right now|on|at|while|during|in the"
    r"|next|yet|but|a|an|by|mr|mrs|that)\b)"
)
_ME = r"(me|us|here|this (number|line|phone)|(my|our) (number|phone|house|office|mobile))"
_ENGLISH = (
    rf"(do not|don't|(?<!i )never|stop|quit) (ever )?(call|phone|ring)(ing)? {_ME}"
    rf"( again| any ?more| ever again)?{_LATER}",
    r"(do not|don't|never) (call|phone|ring)( back)? (again|any ?more|ever)",
    r"(do not|don't) want (you|anybody|anyone|any of you|you people) (to call|calling)",
    r"(do not|don't) (ever )?call(?=\W*$)",
    r"(stop|quit) (calling|phoning|ringing)(?=\W*$|\W+(me|us|here|people|this))",
    r"(take|remove|delete|get|scratch) (me|us|my (number|name)|this number|our number)"
    r" (off|from|out of)( of)? (the|your|that|this) ([\w-]+ ){0,2}(list|database|system|records)",
    r"(put|place|add) (me|us|this number|my number) (on|to|in) (the|your) (\w+ )?"
    r"(do[- ]not[- ]call|no[- ]call)",
    r"(lose|delete|erase) (my|this) number",
    r"(do not|don't|never) (contact|bother|disturb) (me|us)( again| any ?more| ever again)?"
    + _LATER,
    r"leave (me|us) alone",
)
_OTHERS = (
    r"rufen sie (mich|uns|hier|diese nummer) (bitte )?(nicht|nie) (mehr|wieder) an",
    r"(nicht|nie) (mehr|wieder) an(zu)?rufen",
    r"keine (weiteren )?anrufe( mehr)?",
    r"lassen sie (mich|uns) in ruhe",
    r"(löschen|streichen) sie (meine|diese) nummer",
    r"ne (m'|me |nous )(r?appelez|téléphonez) plus( jamais)?",
    r"arrêtez de (m'|me |nous )appeler",
    r"no (me|nos) (vuelvan? a llamar|llamen? (más|nunca más))",
    r"dejen? de llamar(me|nos)",
    r"non (mi|ci) (chiamate|richiamate|chiami) più",
    r"non chiamatemi più",
    r"(bel|belt u) (me|mij|ons) niet (meer|weer)",
)
_ORDER = re.compile(rf"(?i)\b({'|'.join((*_ENGLISH, *_OTHERS))})(?!\w)")
_CLAUSE = re.compile(r"[^.!?;\n]+[.!?;\n]?")
_ASKING = re.compile(r"(?i)\b((how|why|what|when|where|who|did|have|has|if|whether) .{0,40})$")


def asks_for_no_calls(said: Iterable[str]) -> bool:
    """`said`: the lead's own words, one utterance each."""
    return any(_is_order(text.replace("\u2019", "'")) for text in said)


def _is_order(text: str) -> bool:
    if asks_to_stop(text):
        return True
    for clause in _CLAUSE.findall(text[:5_000]):
        found = _ORDER.search(clause)
        if found and not _ASKING.search(clause[: found.start()]):
            return True
    return False
