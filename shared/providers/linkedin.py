"""What LinkedIn knows: members, invitations, chats; and what can be in the way of a message.

Ids of members are valid for one account only: another account sees the same person under another.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

from shared.errors import ProviderError, RateLimited

# Characters of an invitation's note: support.linkedin.com, "Personalise your invitations".
NOTE_OF_PREMIUM, NOTE_OF_FREE = 300, 200


class AlreadyConnected(ProviderError):
    """They know each other: an invitation has nothing left to do."""


class AlreadyInvited(ProviderError):
    """An invitation is pending, or was withdrawn a short time ago."""


class NotConnected(ProviderError):
    """Only connected members can be written to without an InMail."""


class TooLong(ProviderError):
    """The account may not write as many characters."""


class NoInMail(ProviderError):
    """The account may send no InMail, now or at all."""


class NoSuchMember(ProviderError):
    """LinkedIn shows this account no such member, or lets it not reach them."""


class InvitationsUsedUp(RateLimited):
    """For now the account may invite nobody; messages go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person as one account sees them."""

    id: str
    public_id: str | None
    is_connected: bool
    is_invited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """One that is pending."""

    id: str
    member_id: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    id: str
    chat_id: str
    sender_id: str
    text: str
    at: datetime
    is_ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Somebody who is connected to the account, and since when."""

    member_id: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    id: str
    chat_id: str


def public_id_of(profile_url: str) -> str | None:
    """`ada` of https://www.linkedin.com/in/ada; None for what is no person's profile."""
    parts = [part for part in urlsplit(profile_url).path.split("/") if part]
    if len(parts) < 2 or parts[0] != "in":
        return None
    # Dots alone would lead elsewhere in an address.
    return unquote(parts[1]) if parts[1].strip(".") else None


def cut_note(text: str, limit: int) -> str:
    """At most so many characters, cut behind a word, with an ellipsis where something is gone."""
    note = text.strip()
    if len(note) <= limit:
        return note
    kept = note[: limit - 1]
    whole, space, _ = kept.rpartition(" ")
    return f"{(whole if space else kept).rstrip()}…"


def is_same_text(one: str, other: str) -> bool:
    """LinkedIn keeps a message's words, and not its spaces."""
    return one.split() == other.split()
