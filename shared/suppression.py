"""By what a person can be suppressed: address, domain, phone number, profile."""

from enum import StrEnum
from typing import Protocol


class SuppressionKind(StrEnum):
    EMAIL = "email"
    DOMAIN = "domain"
    PHONE = "phone"
    LINKEDIN = "linkedin"


class SuppressionReason(StrEnum):
    """`unsubscribe`, `bounce`, `complaint`: what came back, as in `shared.domain.inbound`."""

    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    DO_NOT_CALL = "do_not_call"
    MANUAL = "manual"
    ERASED = "erased"


class Marks(Protocol):
    """A keyring, or as much of one as this takes."""

    def suppression_key(self, kind: str, value: str) -> bytes: ...


def email_keys(keyring: Marks, email: str) -> list[bytes]:
    """The keys of a normalised address: its own and its domain's."""
    _, _, domain = email.rpartition("@")
    return [keyring.suppression_key("email", email), keyring.suppression_key("domain", domain)]


def lead_keys(
    keyring: Marks,
    *,
    email: str | None = None,
    phone: str | None = None,
    linkedin_url: str | None = None,
) -> list[bytes]:
    """Every key by which a lead with these normalised addresses is found in the suppressions."""
    keys = email_keys(keyring, email) if email else []
    if phone:
        keys.append(keyring.suppression_key("phone", phone))
    if linkedin_url:
        keys.append(keyring.suppression_key("linkedin", linkedin_url))
    return keys
