"""What an uploaded document says, found out by a process of its own that can do no harm."""

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from api.errors import UnsupportedMedia
from shared.db.models import DocumentKind
from shared.errors import Invalid

LARGEST_DOCUMENT = 20 * 1024 * 1024
SECONDS = 30
AT_ONCE = 2
FIELD = "file"

_READER = Path(__file__).with_name("document_text.py")
_KINDS = "Use .docx, .pdf or .txt"
_UNSUPPORTED = {"unknown kind": f"The content of the file is of no kind that we read. {_KINDS}"}
_UNREADABLE = {
    "empty": "The file is empty",
    "encrypted": "The file is protected by a password: save it without one",
    "no words": "The file has no text in it. Scanned pages need a text layer (OCR) first",
    "too much": "The file takes too much memory or time to read: split it, or save it as text",
    "broken": "The file is damaged and cannot be read: save it anew",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    kind: DocumentKind
    text: str


class DocumentReader:
    """Reads a few documents at a time; the others wait their turn."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def read(self, name: str, content: bytes) -> ReadDocument:
        """Raises UnsupportedMedia for another kind, Invalid for a file that cannot be read."""
        named = PurePosixPath(name).suffix.lower().removeprefix(".")
        if named and named not in set(DocumentKind):
            raise UnsupportedMedia(f"A file named .{named[:20]} is not read. {_KINDS}")
        async with self._turns:
            answer = await self._ask(content)
        problem = answer.get("problem")
        if problem in _UNSUPPORTED:
            raise UnsupportedMedia(_UNSUPPORTED[problem])
        if problem is not None:
            raise Invalid(_UNREADABLE[problem], field=FIELD)
        kind = DocumentKind(answer["kind"])
        if named and named != kind:
            raise UnsupportedMedia(
                f"The file is named .{named}, but its content is .{kind}: give it its right name"
            )
        return ReadDocument(kind=kind, text=answer["text"])

    async def _ask(self, content: bytes) -> dict[str, str]:
        """Isolated (-I) and without our environment: it sees no module and no secret of ours."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(_READER)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        try:
            async with asyncio.timeout(self._seconds):
                answer, _ = await process.communicate(content)
        except TimeoutError:
            return {"problem": "too much"}
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        # No answer: the system ended it at one of its bounds.
        return json.loads(answer) if answer else {"problem": "too much"}
