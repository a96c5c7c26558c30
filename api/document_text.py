"""Reads the text out of one document: runs by its path, in a process that knows nothing of ours.

A document may be made to fill the memory or to keep a reader busy for ever, so whoever starts
this process ends it in time, and it bounds itself before it looks at the first byte. The document
comes on standard input; one JSON object, {kind, text} or {problem}, goes to standard output.
"""

import json
import re
import sys
import zipfile
from io import BytesIO
from typing import Any

from charset_normalizer import from_bytes
from docx import Document
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from pypdf import PdfReader
from pypdf.errors import LimitReachedError

if sys.platform != "win32":
    import resource

MEMORY_BYTES = 768 * 1024 * 1024
CPU_SECONDS = 20
LONGEST_TEXT = 1_000_000
LONGEST_GUESS = 100_000
LARGEST_UNPACKED = 100 * 1024 * 1024
MOST_PARTS = 5_000
CODE_PAGES = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("koi8_r", "cp932", "gb18030", "big5", "cp949"),
)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_WORD = b"wordprocessingml.document.main+xml"
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# What no text has: control characters but tab, line feed, form feed and carriage return.
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
# An apostrophe or a dash may stand there; any other sign belongs to another code page.
_SIGN_IN_A_WORD = re.compile(
    r"[^\W\d_][^\w\s\x00-\x7f\u2018\u2019\u2013\u2014\u00ad\u00b7][^\W\d_]"
)
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


class Problem(Exception):
    """A word that api.documents has a sentence for."""


def read_document(content: bytes) -> dict[str, str]:
    """What it is and what it says, up to a million characters. Raises Problem."""
    if not content.strip():
        raise Problem("empty")
    kind = _kind_of(content)
    text = {"pdf": _read_pdf, "docx": _read_docx, "txt": _read_txt}[kind](content)
    text = _UNSTORABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not text:
        raise Problem("no words")
    return {"kind": kind, "text": text[:LONGEST_TEXT]}


def _kind_of(content: bytes) -> str:
    # A PDF may have up to a kilobyte of anything before it begins.
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content.startswith(_OLE):
        raise Problem("encrypted" if _ENCRYPTED_PACKAGE in content else "unknown kind")
    if content.startswith(b"PK"):
        return "docx"
    if content.startswith(b"{\\rtf"):
        raise Problem("unknown kind")
    return "txt"


def _read_docx(content: bytes) -> str:
    """The paragraphs in their order, also those in tables, boxes and form fields."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as package:
            parts = package.infolist()
            # Nothing unpacks to more than it says here.
            if len(parts) > MOST_PARTS or sum(it.file_size for it in parts) > LARGEST_UNPACKED:
                raise Problem("too much")
            if any(it.flag_bits & 1 for it in parts):
                raise Problem("encrypted")
            if _WORD not in package.read("[Content_Types].xml"):
                raise Problem("unknown kind")
    except KeyError:
        raise Problem("unknown kind") from None
    body = Document(BytesIO(content)).element.body
    # Word writes a box twice: as it is, and once more for readers that do not know boxes.
    for twin in list(body.iter(_FALLBACK)):
        twin.getparent().remove(twin)
    return "\n".join(Paragraph(it, None).text for it in body.iter(qn("w:p")))  # type: ignore[arg-type] # only its runs are read


def _read_pdf(content: bytes) -> str:
    reader = PdfReader(BytesIO(content))
    # Many are sealed with the empty password, against changes alone.
    if reader.is_encrypted and not reader.decrypt(""):
        raise Problem("encrypted")
    pages: list[str] = []
    length = 0
    for page in reader.pages:
        pages.append(page.extract_text())
        length += len(pages[-1])
        if length > LONGEST_TEXT:
            break
    if not any(page.strip() for page in pages):
        raise Problem("no words")
    return "\n\n".join(pages)


def _read_txt(content: bytes) -> str:
    text = _decode(content)
    if _NOT_TEXT.search(text):
        raise Problem("unknown kind")
    return text


def _decode(content: bytes) -> str:
    """By its mark, else UTF-8, else in whatever makes the most sense."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding)
    try:
        return content.decode()
    except UnicodeDecodeError:
        if text := _read_western(content):
            return text
        best = from_bytes(content[:LONGEST_GUESS], cp_isolation=list(CODE_PAGES)).best()
        if best is None:
            raise Problem("unknown kind") from None
        return content.decode(best.encoding, "replace")


def _read_western(content: bytes) -> str | None:
    """As Windows writes it from Lisbon to Berlin, where few letters have an accent.

    Statistics need more than a line of text, and take "Gr\u00f6\u00dfe" for something else.
    """
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return None
    letters = [it for it in text if it.isalpha()]
    accented = sum(not it.isascii() for it in letters)
    is_western = accented * 3 <= len(letters) and not _SIGN_IN_A_WORD.search(text)
    return text if is_western else None


def _bound_this_process() -> None:
    """Where the system can: memory, time, and no file may be written."""
    if sys.platform == "win32":
        return
    for what, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, MEMORY_BYTES),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):
            # macOS knows no limit of memory; the others hold there.
            continue


def main() -> None:
    _bound_this_process()
    answer: dict[str, Any]
    try:
        answer = read_document(sys.stdin.buffer.read())
    except Problem as problem:
        answer = {"problem": str(problem)}
    except (MemoryError, RecursionError, LimitReachedError):
        answer = {"problem": "too much"}
    except Exception as error:  # noqa: BLE001 - the libraries raise whatever a broken file makes them
        # The name alone: the words may quote the document.
        answer = {"problem": "broken", "error": type(error).__name__}
    sys.stdout.buffer.write(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
