"""What a reply means, by its words, in six languages. None when they do not say.

A refusal outranks what sounds like interest, and "later" outranks a refusal: "not interested now,
ask me in March" is a date to come back to. Short patterns over a cut text: the time is linear.
"""

import re

from shared.domain.inbound import ReplyClass
from shared.providers.quoted import without_quotes
from shared.providers.stop_words import without_signature

_LONGEST = 3_000  # characters; what matters is said first


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)", re.IGNORECASE)


_MONTH = (
    r"(january|february|march|april|may|june|july|august|september|october|november|december"
    r"|januar|februar|märz|mai|juni|juli|oktober|dezember|q[1-4])"
)
_LATER = _words(
    # English
    rf"(back|again|out|touch|up|talk|call( me)?|write|ask( me)?|ping( me)?|contact( me)?|revisit"
    rf"|later)( (to )?(me|us|this|base))? (again )?(in|after|by|from|around|end of|early|late) "
    rf"(the )?({_MONTH}|spring|summer|autumn|fall|winter|new year|\w+ (days?|weeks?|months?|years?)"
    r"|holidays?)",
    r"(next|following) (week|month|quarter|year|spring|summer|autumn|fall|winter)",
    r"(a few|couple of|some|two|three|six|\d+) (weeks|months)( time)?",
    r"not (right )?now|not (at )?(the|this) (moment|time|stage|point)|(maybe|perhaps) later",
    r"(right now|at (the|this) moment|currently|for now)[^.!?]{0,40} (no|not|isn't|aren't|don't)",
    r"(no|not|isn't|aren't|don't)[^.!?]{0,40} (right now|at (the|this) moment|currently|for now)",
    r"bad tim(e|ing)|not a good time|too early|later (this|in the) year|after the (holidays"
    r"|summer)",
    rf"(try|check|follow|contact|reach|ask)( \w+){{0,3}} (again )?(in|after|until|from) {_MONTH}",
    rf"until {_MONTH}|(contact|ask|call|write|email)( \w+)? after|(no|out of) budget (this|until"
    r"|for)"
    r"|circle back|too busy|(this|the current) (month|quarter|year) (is|we're|we are) full|swamped",
    # German
    r"(dieses|das) (jahr|quartal|monat) nicht( mehr)?|(nach|ab) (dem|der|den) (urlaub|sommer\w*"
    r"|ferien|messe)|kein budget",
    r"(derzeit|momentan|aktuell|zurzeit|im moment|gerade)[^.!?]{0,40} (kein|keine|keinen|nicht)",
    r"(kein|keine|keinen|nicht)[^.!?]{0,40} (derzeit|momentan|aktuell|zurzeit|im moment|gerade)",
    r"(nächste[nrs]?|kommende[nrs]?) (woche|monat|quartal|jahr|frühjahr|sommer|herbst|winter)",
    rf"(erst|wieder|nochmal|noch einmal)( wieder)? (im|in|nach|ab) (\w+ )?({_MONTH}|\w+ monaten"
    r"|\w+ wochen|sommer|herbst|urlaub)",
    r"(zu einem )?später(en zeitpunkt)?|noch zu früh",
    # French, Spanish, Italian, Dutch
    r"(après|avant) l'été|(revenez|reviens) vers (moi|nous)|à la rentrée",
    r"pas (pour l'instant|maintenant|en ce moment|pour le moment)|plus tard|l'année prochaine"
    r"|le (mois|trimestre) prochain|(recontactez|rappelez|relancez)[- ](moi|nous) (en|dans|après)",
    r"(no )?por (el momento|ahora)( no)?|ahora no|más adelante|el (próximo (mes|año|trimestre))"
    r"|la próxima semana|(dentro de|en) \w+ (meses|semanas)",
    r"(non )?(al|per il) momento( non)?|più avanti|il (prossimo (mese|anno|trimestre))"
    r"|la prossima settimana|(tra|fra) \w+ (mesi|settimane)",
    r"(op dit moment|momenteel|nu) (niet|geen)|later dit jaar|volgend(e)? (week|maand|jaar"
    r"|kwartaal)"
    r"|over \w+ (maanden|weken)",
)
_REFUSES = _words(
    r"(not|no longer|isn't|aren't|am not|never) (really |very |particularly )?(be )?interested"
    r"|uninterested|no interest|(have|has|had) no need|(don't|do not) (need|want|see a need)"
    r"|no,? thanks?( you)?|(we'll|i'll|we will|i will|going to|have to|must) pass"
    r"|pass on this|not (a (good )?fit|for (us|me)|relevant|needed|looking|something)"
    r"|already (have|use|work|using|working|got|covered|sorted)|(we're|we are) (all set|happy with)"
    r"|decline|nope|waste (my|our) time|(went|gone|going) with (a|an|another)|(chose"
    r"|chosen) another"
    r"|(don't|do not) (think|believe) (this|it|that|we|so)|(no|without any) use for|in-house",
    r"leider nein|gut (versorgt|aufgestellt)|zufrieden mit|lehne\w* ab|(nicht|kein) thema"
    r"|no (estamos|estoy) (buscando|interesad)|(non|pas) (concernés?|cerchiamo)|niet op zoek",
    r"kein(erlei)? (interesse|bedarf)|nicht interessiert|nein,? danke|nicht (relevant|passend)"
    r"|passt nicht|brauchen (wir|ich)? ?(das |so etwas )?nicht|haben (wir )?(schon|bereits)"
    r"|(müssen|muss|möchte|möchten)( \w+){0,3} absagen|kommt (für uns )?nicht (in ?frage)",
    r"pas (du tout )?intéressée?s?|non,? merci|pas besoin|aucun (intérêt|besoin)|sans intérêt"
    r"|nous avons déjà|ne (nous|m')? ?intéresse pas|ne (sommes|suis) pas intéressée?s?",
    r"no (me|nos) interesa|no,? gracias|no (estoy|estamos) interesad[oa]s?|sin interés"
    r"|no (lo )?necesit(o|amos)|ya (tenemos|contamos)",
    r"non (mi|ci) interessa|no,? grazie|non (sono|siamo) interessat[oiea]|nessun interesse"
    r"|non (ne )?(ho|abbiamo) bisogno|abbiamo già",
    r"geen (interesse|behoefte)|niet geïnteresseerd|nee,? (bedankt|dank u|dank je)"
    r"|niet nodig|hebben (we )?al",
)
_WANTS = _words(
    r"(am|are|be|very|quite|definitely|would be|i'm|we're|also) interested|interested(?= in| to"
    r"|[!.])"
    r"|sounds (good|great|interesting|perfect|promising|like a plan)|looks (good|great|interesting)"
    r"|let's (talk|chat|meet|do|schedule|discuss|connect|speak|have)"
    r"|(happy|glad|love|like|keen|open|up) (to|for a?) ?(talk|chat|meet|learn|hear|know|see|discuss"
    r"|connect|discuss(ing)?|call|quick|demo|have)\w*"
    r"|tell me more|more (info|information|details)|(send|share)( \w+){0,2} (me|over|us|it|more"
    r"|details"
    r"|info|information|a|the|your)|give me a (call|ring)|call me|my (number|phone|calendar)"
    r"|book(ed)? (a|in|some)|schedule (a|some)|set up (a|some)|(a )?(quick )?(call|demo"
    r"|meeting) (on"
    r"|next|this|tomorrow|today|would|works)|works for me|count me in|when (are you|can we|could we"
    r"|would you)|(can|could) (you|we) (please )?(show|give|arrange|meet|talk|speak|discuss"
    r"|have a|do a)"
    r"|(what's|what is|what are) (the )?next( steps?)?|i'm in|(sounds|looks) (useful|helpful|nice)"
    r"|(i'm|i am|we are) (free|available)|yes,? please|please do",
    r"(sehr |bin |sind |wäre |wären )interessiert|interessiert (mich|uns)|klingt (gut|interessant"
    r"|spannend|super)|(hört|liest) sich (gut|interessant|spannend) an|gern(e)?|rufen sie (mich"
    r"|uns)"
    r"|(mehr|weitere) (infos?|informationen|details)|(schicken|senden)( \w+){0,2} (mir|uns|bitte"
    r"|doch)"
    r"|(termin|telefonat|gespräch) (vereinbaren|machen|ausmachen|passt)|passt (mir|uns)|wann (haben"
    r"|hätten|passt|können)|ja,? bitte|(habe|haben|hätte|hätten)( \w+){0,2} interesse",
    r"(suis|sommes|serais|serions|très) intéressée?s?|(m'|nous |ça m')intéresse(?! pas)"
    r"|avec plaisir|volontiers|appelez[- ](moi|nous)|(en savoir|dites[- ]m'en) plus|plus d'infos?"
    r"|(plus d'informations)|envoyez[- ](moi|nous)|oui,? (volontiers|merci|s'il)|ça marche"
    r"|(prendre|fixer|convenir d'un) (un )?rendez-vous|discutons|parlons[- ]en",
    r"(me|nos) interesa|(estoy|estamos|muy|estaría|estaríamos) interesad[oa]s?|suena (bien"
    r"|interesante)"
    r"|llám(ame|enme|eme)|más (información|detalles)|env[ií](a|e|en)(me|nos)|con gusto"
    r"|me encantaría"
    r"|(podemos|podríamos) (hablar|reunirnos|vernos|agendar)"
    r"|(agendar|agendemos|concertar) (una )?(llamada|reunión|cita)|hablemos|sí,? por favor",
    r"(mi|ci) interessa|(sono|siamo|molto|sarei|saremmo) interessat[oiea]|sembra interessante"
    r"|volentieri|(mi|ci) chiami|più (informazioni|dettagli)|maggiori (informazioni|dettagli)"
    r"|(mi|ci) (mandi|invii)|inviatemi|(fissare|fissiamo|organizzare|organizziamo) (una|un)"
    r"|sentiamoci|parliamone|sì,? (grazie|volentieri)",
    r"(ben|zijn|zeer|heel|wel) geïnteresseerd|klinkt (goed|interessant)|graag( meer)?|bel (mij|me"
    r"|ons)"
    r"|meer (informatie|details|weten)|stuur (mij|me|ons)|(afspraak|gesprek) (maken|plannen"
    r"|inplannen)"
    r"|ja,? graag|laten we",
)
_YES = re.compile(
    r"(?i)\W*(yes|yep|yeah|sure|ok|okay|absolutely|definitely|certainly|of course|great|perfect|ja"
    r"|jawohl|klar|super|oui|d'accord|bien sûr|sí|si|claro|vale|sì|certo|va bene|prima|goed)"
    r"\b[^?]{0,60}"
)
_NO = re.compile(r"(?i)\W*(no|nope|nein|non|nee)(\W+(thanks|thank you|danke|merci|gracias))?\W*")


def class_of(text: str, *, subject: str = "") -> ReplyClass | None:
    """`subject` counts for nothing but an empty mail."""
    said = without_quotes(text) or text or subject
    said = " ".join(without_signature(said)[:_LONGEST].replace("\u2019", "'").split())
    if _LATER.search(said):
        return ReplyClass.LATER
    if _REFUSES.search(said) or _NO.fullmatch(said):
        return ReplyClass.NOT_INTERESTED
    if _WANTS.search(said) or _YES.fullmatch(said):
        return ReplyClass.INTERESTED
    return ReplyClass.QUESTION if "?" in said else None
