"""What the page behind the link to unsubscribe says, in the lead's language."""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """`{who}` stands for whose mails they are. `close` follows on `done_text`."""

    code: str
    nobody: str
    ask: str
    ask_text: str
    button: str
    mind: str
    done: str
    done_text: str
    broken: str
    broken_text: str


ENGLISH = Words(
    code="en",
    nobody="this sender",
    ask="Unsubscribe?",
    ask_text="You will get no more messages from {who} at the address that this link was sent to.",
    button="Unsubscribe",
    mind="Changed your mind? Just close this page: nothing has happened yet.",
    done="You are unsubscribed",
    done_text="{who} will not write to this address any more. You can close this page.",
    broken="This link does not work",
    broken_text="It may have been cut off on its way. Please open the whole link from the message,"
    " or answer the message and say that you want no more.",
)
GERMAN = Words(
    code="de",
    nobody="Dieser Absender",
    ask="Abmelden?",
    ask_text="An die Adresse, an die dieser Link ging, schickt {who} dann keine Nachrichten mehr.",
    button="Abmelden",
    mind="Doch nicht? Schließen Sie einfach diese Seite: Es ist noch nichts geschehen.",
    done="Sie sind abgemeldet",
    done_text="{who} schreibt nicht mehr an diese Adresse. Sie können diese Seite schließen.",
    broken="Dieser Link funktioniert nicht",
    broken_text="Vielleicht wurde er unterwegs abgeschnitten. Öffnen Sie bitte den ganzen Link aus"
    " der Nachricht, oder antworten Sie auf die Nachricht, dass Sie keine weiteren möchten.",
)
FRENCH = Words(
    code="fr",
    nobody="Cet expéditeur",
    ask="Se désabonner ?",
    ask_text="{who} n'enverra plus de messages à l'adresse qui a reçu ce lien.",
    button="Se désabonner",
    mind="Vous avez changé d'avis ? Fermez simplement cette page : rien n'a encore été modifié.",
    done="Vous êtes désabonné(e)",
    done_text="{who} n'écrira plus à cette adresse. Vous pouvez fermer cette page.",
    broken="Ce lien ne fonctionne pas",
    broken_text="Il a peut-être été coupé en chemin. Ouvrez le lien entier depuis le message,"
    " ou répondez au message en indiquant que vous n'en voulez plus.",
)
SPANISH = Words(
    code="es",
    nobody="Este remitente",
    ask="¿Darse de baja?",
    ask_text="{who} no enviará más mensajes a la dirección que recibió este enlace.",
    button="Darse de baja",
    mind="¿Ha cambiado de idea? Cierre esta página: todavía no se ha hecho nada.",
    done="Se ha dado de baja",
    done_text="{who} no volverá a escribir a esta dirección. Puede cerrar esta página.",
    broken="Este enlace no funciona",
    broken_text="Puede que se haya cortado por el camino. Abra el enlace completo desde el mensaje,"
    " o responda al mensaje diciendo que no quiere recibir más.",
)
ITALIAN = Words(
    code="it",
    nobody="Questo mittente",
    ask="Annullare l'iscrizione?",
    ask_text="{who} non invierà più messaggi all'indirizzo che ha ricevuto questo link.",
    button="Annulla l'iscrizione",
    mind="Ha cambiato idea? Chiuda questa pagina: non è ancora successo nulla.",
    done="Iscrizione annullata",
    done_text="{who} non scriverà più a questo indirizzo. Può chiudere questa pagina.",
    broken="Questo link non funziona",
    broken_text="Forse è stato troncato. Apra il link intero dal messaggio,"
    " oppure risponda al messaggio dicendo che non ne vuole altri.",
)
PORTUGUESE = Words(
    code="pt",
    nobody="Este remetente",
    ask="Cancelar a subscrição?",
    ask_text="{who} não enviará mais mensagens para o endereço que recebeu este link.",
    button="Cancelar a subscrição",
    mind="Mudou de ideias? Feche esta página: ainda nada foi alterado.",
    done="Subscrição cancelada",
    done_text="{who} não voltará a escrever para este endereço. Pode fechar esta página.",
    broken="Este link não funciona",
    broken_text="Pode ter sido cortado pelo caminho. Abra o link completo a partir da mensagem,"
    " ou responda à mensagem dizendo que não quer receber mais.",
)
DUTCH = Words(
    code="nl",
    nobody="Deze afzender",
    ask="Afmelden?",
    ask_text="{who} stuurt dan geen berichten meer naar het adres dat deze link heeft ontvangen.",
    button="Afmelden",
    mind="Toch niet? Sluit deze pagina: er is nog niets gebeurd.",
    done="U bent afgemeld",
    done_text="{who} schrijft niet meer naar dit adres. U kunt deze pagina sluiten.",
    broken="Deze link werkt niet",
    broken_text="Misschien is hij onderweg afgebroken. Open de hele link uit het bericht,"
    " of antwoord op het bericht dat u er geen meer wilt.",
)
WORDS = {
    words.code: words for words in (ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, PORTUGUESE, DUTCH)
}
# As people write a language into a list of leads.
_NAMES = {
    "en": ("english", "englisch", "anglais", "inglés", "inglese", "inglês", "engels"),
    "de": ("german", "deutsch", "allemand", "alemán", "tedesco", "alemão", "duits"),
    "fr": ("french", "französisch", "français", "francés", "francese", "francês", "frans"),
    "es": ("spanish", "spanisch", "espagnol", "español", "spagnolo", "espanhol", "spaans"),
    "it": ("italian", "italienisch", "italien", "italiano", "italiaans"),
    "pt": ("portuguese", "portugiesisch", "portugais", "portugués", "portoghese", "português"),
    "nl": ("dutch", "niederländisch", "néerlandais", "neerlandés", "olandese", "nederlands"),
}
_CODES = {name: code for code, names in _NAMES.items() for name in (code, *names)}
_RANGE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


def words_for(lead_language: str | None, accepted: str | None) -> Words:
    """`accepted`: the header Accept-Language, asked when the lead's language is not known here."""
    if code := _code(lead_language or ""):
        return WORDS[code]
    return next((WORDS[code] for code in _preferred(accepted or "")), ENGLISH)


def _code(language: str) -> str | None:
    plain = language.strip().lower()
    return _CODES.get(plain) or _CODES.get(re.split(r"[-_ (]", plain)[0])


def _preferred(accepted: str) -> Iterator[str]:
    """Those that we have, the most wanted first (RFC 9110, section 12.5.4)."""
    found = [
        (float(match[2] or 1), match[1].lower())
        for part in accepted[:500].split(",")
        if (match := _RANGE.fullmatch(part))
    ]
    for quality, code in sorted(found, key=lambda pair: -pair[0]):
        if quality > 0 and code in WORDS:
            yield code
