"""Documents as people upload them, made on the spot, and others that nobody should open."""

import zipfile
import zlib
from io import BytesIO
from typing import Any

import httpx
from docx import Document
from pypdf import PdfReader, PdfWriter

Json = dict[str, Any]
WORDS = "The engine weaves algebraic patterns"
DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def docx(*paragraphs: str, cell: str | None = None) -> bytes:
    document = Document()
    for paragraph in paragraphs or (WORDS,):
        document.add_paragraph(paragraph)
    if cell:
        document.add_table(rows=1, cols=1).rows[0].cells[0].text = cell
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def pdf(text: str = WORDS) -> bytes:
    """One page, by hand; without a text it is as good as scanned."""
    return pdf_of(f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode() if text else b"")


def pdf_of(content: bytes, *, is_packed: bool = False) -> bytes:
    packed = zlib.compress(content, 9) if is_packed else content
    filter_ = b" /Filter /FlateDecode" if is_packed else b""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(packed), filter_, packed),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    file, places = b"%PDF-1.4\n", []
    for number, it in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, it)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    tail = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        len(file),
    )
    return file + head + tail


def locked_pdf(password: str) -> bytes:
    """An empty password locks against changes, not against readers."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf())))
    writer.encrypt(password, owner_password="the owner's", algorithm="AES-256")
    file = BytesIO()
    writer.write(file)
    return file.getvalue()


def locked_office_file() -> bytes:
    """Word keeps a locked document in an old container of this form."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le")


def old_word_file() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "WordDocument".encode("utf-16-le")


def zipped(**parts: bytes) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return file.getvalue()


def bomb() -> bytes:
    """A document of a few hundred kilobytes that unpacks to 200 MB."""
    file = BytesIO(docx())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/media/zeros.bin", bytes(200 * 1024 * 1024))
    return file.getvalue()


def endless_pdf() -> bytes:
    """Under a megabyte, and a hundred million instructions long."""
    return pdf_of(b"q Q\n" * 60_000_000, is_packed=True)


async def add_product(
    api: httpx.AsyncClient, url: str, name: str = "engine.docx", **fields: str
) -> Json:
    content = docx() if name.endswith(".docx") else pdf()
    answer = await api.post(url, files={"file": (name, content)}, data=fields)
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found
