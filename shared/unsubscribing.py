"""The signed link with which a lead unsubscribes: it needs no login, and no row of ours."""

from dataclasses import dataclass
from uuid import UUID

from shared.keyring import Keyring

PURPOSE = "unsubscribe"
VERSION = b"\x01"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscription:
    """Who asks. `address_key` suppresses the address also when recipient and lead are gone."""

    company_id: UUID
    recipient_id: UUID
    address_key: bytes


def make_unsubscribe_token(
    keyring: Keyring, *, company_id: UUID, recipient_id: UUID, email: str
) -> str:
    """The same for the same recipient, so that a preview has it too. `email`: normalised."""
    address_key = keyring.suppression_key("email", email)
    content = VERSION + company_id.bytes + recipient_id.bytes + address_key
    return keyring.sign_link(PURPOSE, content)


def read_unsubscribe_token(keyring: Keyring, token: str) -> Unsubscription | None:
    """None: the token is not ours, or of a version that is not known here."""
    content = keyring.read_link(PURPOSE, token)
    if content is None or content[:1] != VERSION or len(content) != 33 + KEY_BYTES:
        return None
    return Unsubscription(
        company_id=UUID(bytes=content[1:17]),
        recipient_id=UUID(bytes=content[17:33]),
        address_key=content[33:],
    )


def unsubscribe_url(public_url: str, token: str) -> str:
    """Where the page is: the visible link, and the List-Unsubscribe header (RFC 2369, 8058)."""
    return f"{public_url.rstrip('/')}/u/{token}"
