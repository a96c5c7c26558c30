"""Whether a reply asks to meet, by its words, in six languages. Pure; the time is linear."""

import re

_LONGEST = 3_000  # characters; what matters is said first

_ENGLISH = (
    r"let's (talk|chat|meet|speak|schedule|set up|have a (call|chat|meeting))"
    r"|(book|schedule|arrange|set up|have|jump on|hop on|up for|open to|happy to do) (a|an|some)"
    r" (\w+ ){0,2}(call|chat|meeting|demo|appointment)|find (a|some) time|when (are you|can we"
    r"|could we) (free|available|talk|meet|speak)|(can|could|shall) we (\w+ )?(meet|talk|speak)"
    r"|(happy|glad|like|love) to (meet|talk|chat|speak)|send (me )?(an invite|a calendar invite"
    r"|your (calendar|availability))|(works|suits) (for )?me"
)
_GERMAN = (
    r"(termin|telefonat|gespräch|treffen) (\w+ )?(vereinbaren|machen|ausmachen|passt)"
    r"|wann (haben|hätten|hättest) (sie|du) zeit"
    r"|(lassen sie uns|lass uns) (\w+ )?(treffen|sprechen|telefonieren)"
    r"|(können|könnten|wollen) wir (uns )?(\w+ )?(treffen|sprechen|telefonieren)|passt (mir|uns)"
)
_OTHERS = (
    r"(prendre|fixer|convenir d'un) (un )?rendez-vous|quand (êtes-vous|seriez-vous) disponible"
    r"|(podemos|podríamos) (hablar|reunirnos|vernos)|(agendar|agendemos|concertar) (una )?(llamada"
    r"|reunión|cita)|(fissare|fissiamo|organizzare|organizziamo) (una|un) (\w+ )?(chiamata|incontro"
    r"|appuntamento)|(afspraak|gesprek) (maken|plannen|inplannen)"
)
_MEETING = re.compile(rf"(?i)(?<!\w)(?:{_ENGLISH}|{_GERMAN}|{_OTHERS})(?!\w)")
_QUOTED = re.compile(r"(?m)^>.*$")


def asks_to_meet(text: str) -> bool:
    said = _QUOTED.sub("", text)[:_LONGEST].replace("\u2019", "'")
    return _MEETING.search(" ".join(said.split())) is not None
