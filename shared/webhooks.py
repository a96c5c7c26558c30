"""Where events may be sent, and how a receiver knows that they are ours.

Whoever enters an address makes our servers call it, so what can only be reached from inside is
refused, both when the address is entered and, since names change, at each connection.
"""

import asyncio
import hmac
import ipaddress
import secrets
import socket
from base64 import b64decode, b64encode
from contextlib import suppress
from hashlib import sha256

import httpx

from shared.errors import Invalid

# Which cell the secret is sealed for.
SECRET = "webhooks.secret"  # noqa: S105 - the name of a column
SECRET_PREFIX = "whsec_"  # noqa: S105 - the specification's
SECRET_BYTES = 32
EVENT_GROUPS = ("campaign", "recipient", "action", "reply", "call")
TEST_EVENT = "webhook.test"
LOOK_UP_SECONDS = 5

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Destinations:
    """`is_private_allowed`: also addresses of one's own network, and those without TLS."""

    def __init__(self, *, is_private_allowed: bool = False) -> None:
        self._is_private_allowed = is_private_allowed

    async def check(self, url: str) -> None:
        """Raises Invalid, with words for the person who has entered the address.

        A name that nobody knows yet is fine: it is looked up again at each connection.
        """
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL:
            raise _wrong("This is no address: use one like https://example.com/hook") from None
        if parts.scheme not in {"https", "http"} or not parts.host:
            raise _wrong("Use an address that begins with https://")
        if parts.userinfo or parts.fragment:
            raise _wrong("Leave out the user, the password and whatever follows a #")
        if parts.scheme == "http" and not self._is_private_allowed:
            raise _wrong("Use https: everybody on the way could read plain http")
        # Not known is an OSError as well.
        with suppress(OSError):
            await self.find(parts.raw_host.decode(), parts.port or 443)

    async def find(self, host: str, port: int) -> list[str]:
        """Where to connect to. Raises Invalid for a place inside, OSError when there is none."""
        found = await self._look_up(host, port)
        # All of them: a name with a public address and a private one is made to deceive.
        if not self._is_private_allowed and not all(is_public(it) for it in found):
            raise _wrong("The address lies in a private network, where we do not go")
        return found

    async def _look_up(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LOOK_UP_SECONDS):
            try:
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except UnicodeError:
                raise _wrong("The host's name is too long, or has an empty part") from None
        return [str(address[0]) for *_, address in found]


def is_public(text: str) -> bool:
    """Whether the address belongs to the internet, also when it is wrapped in another one."""
    address = _unwrapped(ipaddress.ip_address(text.partition("%")[0]))
    return address.is_global and not address.is_multicast


def _unwrapped(address: _Address) -> _Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    inner = address.ipv4_mapped or address.sixtofour
    return inner or (address.teredo[1] if address.teredo else address)


def _wrong(words: str) -> Invalid:
    return Invalid(words, field="url")


def make_secret() -> str:
    return SECRET_PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(*secrets: str, message_id: str, timestamp: int, body: str) -> str:
    """The header webhook-signature, as standardwebhooks.com specifies it: one for each secret."""
    message = f"{message_id}.{timestamp}.{body}".encode()
    return " ".join(_signature(secret, message) for secret in secrets)


def _signature(secret: str, message: bytes) -> str:
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    return f"v1,{b64encode(hmac.digest(key, message, sha256)).decode()}"
