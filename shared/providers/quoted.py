"""What was written now, without the mail that it answers.

Line by line with short patterns: the time is linear, however hostile the mail. Known are the
introductions of Gmail, Apple Mail, Outlook and Thunderbird in six languages.
"""

import re

_WROTE = re.compile(
    r"(?i)^\W*(on|am|le|el|il|op|den|em)\b.{4,300}"
    r"\b(wrote|schrieb|a écrit|escribió|ha scritto|schreef)\b.{0,150}:\s*$"
)
_WROTE_BEGINS = re.compile(r"(?i)^\W*(on|am|le|el|il|op|den|em)\b.{4,300}$")
_SEPARATOR = re.compile(
    r"(?i)^\W*(_{20,}|-{3,} ?(original message|ursprüngliche nachricht|message d'origine"
    r"|mensaje original|messaggio originale|oorspronkelijk bericht|forwarded message)\b.*)"
)
_FROM = re.compile(r"(?i)^[\s*>]*(from|von|de|da|van)\s*:[*\s]*\S")
_SENT = re.compile(
    r"(?i)^[\s*>]*(sent|date|gesendet|datum|envoyé|enviado|fecha|inviato|data|verzonden)\s*:"
)
_LONGEST_INTRODUCTION = 3  # lines that mail programs break it into


def without_quotes(text: str) -> str:
    lines = text.splitlines()
    kept: list[str] = []
    position = 0
    while position < len(lines):
        introduction = _introduction(lines, position)
        is_unmarked = introduction > 0 and not _is_marked(lines, position + introduction)
        if is_unmarked or _begins_old_mail(lines, position):
            break
        if introduction == 0 and not lines[position].lstrip().startswith(">"):
            kept.append(lines[position].rstrip())
        position += introduction or 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _introduction(lines: list[str], position: int) -> int:
    """How many lines "On such a day somebody wrote:" takes here; 0 when it is none."""
    if not _WROTE_BEGINS.match(lines[position][:400]):
        return 0
    joined = ""
    for length, line in enumerate(lines[position : position + _LONGEST_INTRODUCTION], start=1):
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) <= 500 and _WROTE.match(joined):
            return length
    return 0


def _is_marked(lines: list[str], position: int) -> bool:
    """Whether the quoted mail has ">" before its lines, so that answers below it can be told."""
    rest = (line for line in lines[position : position + 5] if line.strip())
    return next(rest, "").lstrip().startswith(">")


def _begins_old_mail(lines: list[str], position: int) -> bool:
    if _SEPARATOR.match(lines[position][:200]):
        return True
    following = lines[position + 1 : position + 4]
    return bool(_FROM.match(lines[position][:200])) and any(_SENT.match(s[:50]) for s in following)
