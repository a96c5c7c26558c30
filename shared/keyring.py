"""The secrets of an installation: what they seal, and what they sign.

Each purpose has a key of its own, derived from `SECRET_KEY` (HKDF, RFC 5869), so that a value
made for one purpose says nothing about another.
"""

import hashlib
import hmac
import os
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import Misconfigured

NONCE_BYTES = 12
SIGNATURE_BYTES = 16


class SuppressionMarks:
    """The one key that is needed to mark addresses, for who needs no other."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def suppression_key(self, kind: str, value: str) -> bytes:
        """Under what an address is suppressed. `value` is normalised already."""
        return _mac(self.key, f"{kind}:{value}".encode())


class Keyring:
    """`encryption_keys`: `id:base64` pairs with commas between; the first one seals, all open."""

    def __init__(self, *, secret_key: str, encryption_keys: str) -> None:
        if len(secret_key) < 32:
            raise Misconfigured("DRUMBEAT_SECRET_KEY needs at least 32 characters")
        self._secret = secret_key.encode()
        self._ciphers = _read_keys(encryption_keys)
        self._newest = next(iter(self._ciphers))
        self._mail = self.derive("mail")
        self.suppression = SuppressionMarks(self.derive("suppression"))
        self._token = self.derive("token")
        self._link_keys: dict[str, bytes] = {}

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose."""
        hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode())
        return hkdf.derive(self._secret)

    def seal(self, plain: str, *, place: str, company_id: UUID, row_id: UUID) -> bytes:
        """Encrypt for one cell (`place`: table.column); elsewhere it does not open.

        AES-256-GCM, NIST SP 800-38D; key id, a zero byte, nonce, ciphertext.
        """
        nonce = os.urandom(NONCE_BYTES)
        cell = _cell(place, company_id, row_id)
        sealed = self._ciphers[self._newest].encrypt(nonce, plain.encode(), cell)
        return self._newest.encode() + b"\0" + nonce + sealed

    def open(self, sealed: bytes, *, place: str, company_id: UUID, row_id: UUID) -> str:
        """Decrypt a cell. Raises Misconfigured when its key is gone or it is not this cell's."""
        key_id, _, rest = bytes(sealed).partition(b"\0")
        cipher = self._ciphers.get(key_id.decode(errors="replace"))
        if cipher is None:
            raise Misconfigured(
                f"DRUMBEAT_ENCRYPTION_KEYS has no key {key_id.decode(errors='replace')!r},"
                f" with which {place} was sealed: add it behind the newest one"
            )
        try:
            cell = _cell(place, company_id, row_id)
            return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], cell).decode()
        except InvalidTag:
            raise Misconfigured(f"{place} does not open: its key or its row has changed") from None

    def mail_key(self, recipient_id: UUID, step_id: UUID, round_: int) -> str:
        """What marks a mail as ours (`X-Drumbeat-Key`), the same after a restored backup."""
        text = f"{recipient_id}/{step_id}/{round_}".encode()
        return urlsafe_b64encode(_mac(self._mail, text)[:24]).decode()

    def suppression_key(self, kind: str, value: str) -> bytes:
        """Under what an address is suppressed. `value` is normalised already."""
        return self.suppression.suppression_key(kind, value)

    def token_hash(self, token: str) -> str:
        """How a token that we gave out is kept."""
        return _mac(self._token, token.encode()).hex()

    def sign_link(self, purpose: str, content: bytes) -> str:
        """A token for a link that is given away: readable by anybody, made by nobody else."""
        signature = _mac(self._link_key(purpose), content)[:SIGNATURE_BYTES]
        return urlsafe_b64encode(signature + content).decode().rstrip("=")

    def read_link(self, purpose: str, token: str) -> bytes | None:
        """What was signed for this purpose. None: it was not signed here, or was changed."""
        try:
            plain = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        content = plain[SIGNATURE_BYTES:]
        # Compared as text, so that a token has one spelling only.
        expected = self.sign_link(purpose, content)
        return content if hmac.compare_digest(expected.encode(), token.encode()) else None

    def _link_key(self, purpose: str) -> bytes:
        if purpose not in self._link_keys:
            self._link_keys[purpose] = self.derive(f"link/{purpose}")
        return self._link_keys[purpose]


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, hashlib.sha256)


def _cell(place: str, company_id: UUID, row_id: UUID) -> bytes:
    return f"{place}/{company_id}/{row_id}".encode()


def _read_keys(pairs: str) -> dict[str, AESGCM]:
    try:
        read = dict(_read_pair(pair) for pair in pairs.split(",") if pair.strip())
    except (ValueError, NotBase64):
        read = {}
    if not read:
        raise Misconfigured(
            "DRUMBEAT_ENCRYPTION_KEYS must be `id:base64key`, 32 bytes before base64;"
            ' make one with: python -c "import os, base64;'
            " print('k1:' + base64.b64encode(os.urandom(32)).decode())\""
        )
    return read


def _read_pair(pair: str) -> tuple[str, AESGCM]:
    key_id, _, encoded = pair.strip().partition(":")
    key = b64decode(encoded, validate=True)
    if not key_id or len(key) != 32:
        raise ValueError
    return key_id, AESGCM(key)
