"""Whether a person asks in words not to be written to again.

Careful on purpose: only a short message counts, and only one that gives the order. Whoever asks
how people can unsubscribe, or writes at length and wants to stop something else, has replied.
"""

import re

_LONGEST_REQUEST = 30  # words, the signature not counted

_SIGNATURE = re.compile(
    r"(?im)^\s*(--\s*|((best|kind|warm|many)?\s*(regards|wishes)|cheers|sincerely|mfg|gruß|grüße"
    r"|(mit freundlichen|viele|beste|freundliche|liebe) grüßen?|cordialement|bien à vous|saludos"
    r"|atentamente|cordiali saluti|saluti|met vriendelijke groet(en)?|groeten)\b.{0,40}"
    r"|(thanks|thank you|best|danke|merci|gracias|grazie|bedankt)\W*"
    r"|(sent from my|von meinem|envoyé de mon|enviado desde|inviato da|verzonden vanaf)\b.*)$"
)
_POLITE = re.compile(
    r"(?i)\b(please|pls|plz|thanks|thank you|hi|hello|dear|sir|madam|bitte|danke|hallo|merci"
    r"|bonjour|s'il vous plaît|svp|por favor|gracias|hola|per favore|grazie|ciao|alstublieft"
    r"|a\.u\.b|dank u|now|me|us|all)\b"
)
_ORDER_ALONE = re.compile(
    r"(?i)(unsubscribe|unsubscribed|remove|stop|opt[- ]?out|abmelden|abmeldung|austragen"
    r"|désinscription|désinscrire|désabonner|désabonnement|baja|dar de baja|darme de baja"
    r"|cancellami|cancellatemi|disiscrivimi|disiscrizione|uitschrijven|afmelden)"
)
_FOR_NOW = r"(?!\s+(before|until|till|this|today|tomorrow|on|next|yet))"
_ENGLISH = (
    r"(please|to be|wish to|want to|like to|kindly) unsubscribed?",
    r"unsubscribe (me|us)",
    r"(remove|delete|take) (me|us|this address) (off|from|out)",
    r"(remove|delete|take) (me|us)( please)?\W*$",
    r"(remove|delete|erase) my (e-?mail|address|e-?mail address|details|name|data)",
    r"stop (e-?mailing|mailing|contacting|writing|messaging|spamming|bothering|sending)",
    rf"(do not|don't|never) (e-?mail|contact|write|write to|message|mail) (me|us){_FOR_NOW}",
    r"no more (e-?mails|mails|messages)",
    r"opt (me |us )?out",
    r"leave (me|us) alone",
)
_GERMAN = (
    r"keine (weiteren )?(e-?mails?|mails?|nachrichten|werbung) mehr",
    r"keine weiteren (e-?mails?|mails?|nachrichten)",
    r"(löschen|entfernen|streichen|nehmen) sie (mich|uns|meine|unsere)",
    r"(nicht|nie) (mehr|wieder) (an(zu)?schreiben|kontaktieren|schreiben|mailen)",
    r"(schreiben|kontaktieren) sie (mich|uns|mir) (bitte )?(nicht|nie) (mehr|wieder)",
    r"aus (dem|ihrem) verteiler",
    r"hören sie auf",
)
_FRENCH = (
    r"(me|nous) (désabonner|désinscrire)",
    r"(désabonnez|désinscrivez|retirez|supprimez)[- ](moi|nous|mon|mes)",
    r"ne (me|nous|m')\s?(contactez|écrivez|envoyez) plus",
    r"arrêtez de (m'|me |nous )\w+",
)
_SPANISH = (
    r"(darme|darnos|deme|denme) de baja",
    r"no (me|nos) (contacten?|escriban?|envíen?) más",
    r"dejen? de (escribir|contactar|enviar)(me|nos)",
    r"elim[ií]nen?(me|nos)",
)
_ITALIAN = (
    r"(cancellatemi|cancellami|rimuovetemi|rimuovimi|disiscrivetemi|disiscrivimi)",
    r"non (scrivetemi|scrivermi|contattatemi|contattarmi|inviatemi) più",
)
_DUTCH = (
    r"verwijder (mij|me|ons)",
    r"(mij|me|ons) (uitschrijven|afmelden)",
    r"geen (e-?mails?|mails?|berichten) meer",
    r"niet meer (mailen|contacteren|benaderen)",
)
_REQUESTS = re.compile(
    rf"\b({'|'.join(_ENGLISH + _GERMAN + _FRENCH + _SPANISH + _ITALIAN + _DUTCH)})(?!\w)",
    re.IGNORECASE,
)
_REPLY_PREFIX = re.compile(r"(?i)^((re|aw|sv|antw|rif|fwd?)\s*:\s*)+")


def asks_to_stop(text: str, *, subject: str = "") -> bool:
    """`text` is what was written now. An empty one lets the subject speak, as mailto: links do."""
    written = text[:5000].replace("\u2019", "'")
    message = without_signature(written)
    if not message:
        return not written.strip() and _is_order(_REPLY_PREFIX.sub("", subject))
    # The order can stand under "Hi Sam," and above a signature that nothing announces.
    first_lines = [line for line in message.splitlines() if line.strip()][:2]
    if any(_is_order(part) for part in (message, *first_lines)):
        return True
    words = message.split()
    return len(words) <= _LONGEST_REQUEST and _REQUESTS.search(" ".join(words)) is not None


def without_signature(text: str) -> str:
    return _SIGNATURE.split(text, maxsplit=1)[0].strip()


def _is_order(words: str) -> bool:
    """Nothing but the order, politeness aside, and nobody asks whether."""
    if words.rstrip().endswith("?"):
        return False
    bare = " ".join(re.findall(r"[\w'-]+", _POLITE.sub(" ", words)))
    return _ORDER_ALONE.fullmatch(bare) is not None
