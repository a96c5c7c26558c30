"""What an uploaded document says, and what is said about one that cannot be read."""

import psutil
import pytest

from api.document_text import Problem, read_document
from api.documents import DocumentReader, ReadDocument
from api.errors import UnsupportedMedia
from shared.db.models import DocumentKind
from shared.errors import Invalid
from tests.api import documents
from tests.api.documents import WORDS

POLISH = "Za\u017c\u00f3\u0142\u0107 g\u0119\u015bl\u0105 ja\u017a\u0144, to jest nasz produkt"
RUSSIAN = "\u042d\u0442\u043e \u043d\u0430\u0448 \u043d\u043e\u0432\u044b\u0439 \u0442\u043e\u0432\u0430\u0440"  # noqa: E501 - one text


async def read(name: str, content: bytes) -> ReadDocument:
    return await DocumentReader().read(name, content)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("engine.docx", documents.docx(), DocumentKind.DOCX),
        ("ENGINE.PDF", documents.pdf(), DocumentKind.PDF),
        ("engine.pdf", documents.locked_pdf(""), DocumentKind.PDF),
        ("engine.txt", WORDS.encode(), DocumentKind.TXT),
        ("engine", documents.pdf(), DocumentKind.PDF),
    ],
    ids=["word", "pdf", "pdf-locked-against-changes", "text", "pdf-without-a-suffix"],
)
async def test_the_words_are_found(name: str, content: bytes, kind: DocumentKind) -> None:
    found = await read(name, content)

    assert (found.kind, found.text) == (kind, WORDS)


async def test_a_word_file_is_read_in_its_order_with_its_tables() -> None:
    found = await read("engine.docx", documents.docx("First", "Second", cell="Third"))

    assert found.text.split("\n") == ["First", "Second", "Third"]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Gr\u00fc\u00dfe", "utf-8"),
        ("Gr\u00fc\u00dfe", "utf-8-sig"),
        ("Gr\u00fc\u00dfe", "utf-16"),
        ("Gr\u00fc\u00dfe", "cp1252"),
        ("l\u2019\u00e9t\u00e9 \u00e0 Besan\u00e7on", "cp1252"),
        (POLISH, "cp1250"),
        (RUSSIAN, "cp1251"),
    ],
)
def test_a_text_is_read_in_its_encoding(text: str, encoding: str) -> None:
    assert read_document(text.encode(encoding)) == {"kind": "txt", "text": text}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (documents.locked_pdf("secret"), "encrypted"),
        (documents.locked_office_file(), "encrypted"),
        (documents.pdf(""), "no words"),
        (documents.old_word_file(), "unknown kind"),
        (documents.zipped(sheet=b"1,2"), "unknown kind"),
        (bytes(range(128, 256)) * 9 + b"\x00", "unknown kind"),
        (b"{\\rtf1 Hello}", "unknown kind"),
        (documents.bomb(), "too much"),
    ],
    ids=["locked-pdf", "locked-word", "scanned", "doc", "zip", "bytes", "rtf", "zip-bomb"],
)
def test_the_reader_has_a_word_for_each_problem(content: bytes, problem: str) -> None:
    """In this process; the tests below read in the other one."""
    with pytest.raises(Problem, match=problem):
        read_document(content)


def test_a_long_document_is_read_up_to_its_limit() -> None:
    found = read_document(documents.docx("word " * 1_000, cell="end"))

    assert found["kind"] == "docx"
    assert found["text"].endswith("end")


async def test_line_ends_are_one_and_nothing_is_unstorable() -> None:
    found = await read("words.txt", b"one\r\ntwo\rthree\x0cfour\n")

    assert found.text == "one\ntwo\nthreefour"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("engine.pdf", documents.locked_pdf("secret"), "protected by a password"),
        ("engine.docx", documents.locked_office_file(), "protected by a password"),
        ("engine.txt", b"", "is empty"),
        ("engine.txt", b" \n\n", "is empty"),
        ("engine.pdf", documents.pdf(""), "has no text in it"),
        ("engine.docx", documents.docx(" "), "has no text in it"),
        ("engine.docx", documents.docx()[:2000], "is damaged"),
        ("engine.pdf", documents.pdf()[:100], "is damaged"),
        ("engine.docx", documents.bomb(), "too much memory"),
        ("engine.pdf", documents.endless_pdf(), "too much memory"),
    ],
    ids=[
        "locked-pdf",
        "locked-word-file",
        "empty",
        "blank",
        "scanned",
        "word-file-without-words",
        "half-a-word-file",
        "half-a-pdf",
        "zip-bomb",
        "pdf-bomb",
    ],
)
async def test_a_document_that_cannot_be_read(name: str, content: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        await read(name, content)

    assert refused.value.field == "file"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("engine.doc", documents.old_word_file(), "named .doc is not read"),
        ("engine.docx", documents.old_word_file(), "no kind that we read"),
        ("engine.docx", documents.zipped(sheet=b"1,2"), "no kind that we read"),
        ("engine.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "no kind that we read"),
        ("engine.txt", b"{\\rtf1 Hello}", "no kind that we read"),
        ("engine.docx", documents.pdf(), "named .docx, but its content is .pdf"),
        ("engine.pdf", WORDS.encode(), "named .pdf, but its content is .txt"),
    ],
    ids=["doc", "doc-named-docx", "zip", "picture", "rtf", "pdf-named-docx", "text-named-pdf"],
)
async def test_another_kind_of_file_is_refused(name: str, content: bytes, words: str) -> None:
    with pytest.raises(UnsupportedMedia, match=words):
        await read(name, content)


async def test_a_document_that_takes_too_long_is_given_up() -> None:
    busy = documents.pdf_of(b"BT /F1 12 Tf 72 720 Td (a) Tj ET\n" * 300_000, is_packed=True)

    with pytest.raises(Invalid, match="or time to read"):
        await DocumentReader(seconds=1).read("engine.pdf", busy)

    left = [it for it in psutil.Process().children() if "document_text" in str(it.cmdline())]
    assert left == []


async def test_a_million_characters_are_enough() -> None:
    found = await read("long.txt", b"word " * 300_000)

    assert len(found.text) == 1_000_000
