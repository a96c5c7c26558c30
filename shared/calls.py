"""Where Bland tells of a call that is over: an address that says, signed, whose account it is."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from shared.keyring import Keyring

PATH = "/webhooks/bland"
PURPOSE = "bland-webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledAccount:
    company_id: UUID
    account_id: UUID


def webhook_url(
    keyring: Keyring, *, public_url: str, endpoint: str, company_id: UUID, account_id: UUID
) -> str | None:
    """None: Bland would not call it. It takes https only, and reaches no private network.

    A stand-in for Bland on this machine takes an address on this machine.
    """
    where = urlsplit(public_url)
    is_here = _is_loopback(where.hostname) and _is_loopback(urlsplit(endpoint).hostname)
    if not is_here and (where.scheme != "https" or _is_loopback(where.hostname)):
        return None
    token = keyring.sign_link(PURPOSE, company_id.bytes + account_id.bytes)
    return f"{public_url.rstrip('/')}{PATH}?{urlencode({'t': token})}"


def read_webhook_token(keyring: Keyring, token: str) -> CalledAccount | None:
    """None: it was not made here."""
    content = keyring.read_link(PURPOSE, token)
    if content is None or len(content) != 32:
        return None
    return CalledAccount(company_id=UUID(bytes=content[:16]), account_id=UUID(bytes=content[16:]))


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
