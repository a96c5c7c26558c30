"""A write with an Idempotency-Key: what was asked, and what was answered the first time."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta

from shared.errors import Conflict

LARGEST_ANSWER = 1024 * 1024
KEPT_HEADERS = (b"content-type", b"etag", b"link", b"location")


class BodyDigest:
    """Of a body as it comes in. A form's boundary is new in each repetition, so it is left out."""

    def __init__(self, content_type: str) -> None:
        self._hash = hashlib.sha256()
        _, _, boundary = content_type.partition("boundary=")
        self._boundary = boundary.split(";")[0].strip(' "').encode()
        self._rest = b""

    def add(self, chunk: bytes) -> None:
        if not self._boundary:
            self._hash.update(chunk)
            return
        known = (self._rest + chunk).replace(self._boundary, b"")
        # The boundary may go on in the next chunk.
        cut = max(0, len(known) - len(self._boundary) + 1)
        self._hash.update(known[:cut])
        self._rest = known[cut:]

    def hex(self) -> str:
        whole = self._hash.copy()
        whole.update(self._rest)
        return whole.hexdigest()


@dataclass(slots=True, kw_only=True)
class KeyedWrite:
    """`condition`: If-Match. `is_secret`: the answer holds a secret, so it is not kept."""

    key: str
    method: str
    path: str
    query: str
    condition: str
    body: BodyDigest
    is_secret: bool = False

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(
            f"{self.query}\n{self.condition}\n{self.body.hex()}".encode()
        ).hexdigest()


@dataclass(slots=True, kw_only=True)
class GivenAnswer:
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @property
    def is_small(self) -> bool:
        return len(self.body) <= LARGEST_ANSWER

    def to_json(self) -> str:
        kept = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in self.headers]
        headers = [(name, value) for name, value in kept if name.encode() in KEPT_HEADERS]
        return json.dumps([self.status, headers, self.body.decode("latin-1")])

    @classmethod
    def from_json(cls, text: str) -> "GivenAnswer":
        status, headers, body = json.loads(text)
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return cls(status=status, headers=pairs, body=body.encode("latin-1"))


class AnsweredBefore(Exception):
    """The same write was done already: this is what it has answered."""

    def __init__(self, answer: GivenAnswer) -> None:
        super().__init__("answered before")
        self.answer = answer


class InProgress(Conflict):
    def __init__(self, *, retry_after: timedelta) -> None:
        super().__init__("The same write is under way: ask again in a moment, with the same key")
        self.retry_after = retry_after
