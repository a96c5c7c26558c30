"""A LinkedIn small enough to read: members, invitations, connections and chats.

An account sees every member under an id of its own, as at LinkedIn.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count


@dataclass(slots=True, kw_only=True)
class SandboxAccount:
    """A member whose session Unipile keeps. `status`: of that session, in Unipile's words."""

    id: str
    public_id: str
    name: str
    created_at: datetime
    is_premium: bool = True
    status: str = "OK"
    inmail_credits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxInvitation:
    """`to`: a public id."""

    id: str
    account_id: str
    to: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxMessage:
    """`sender`: a public id."""

    id: str
    chat_id: str
    account_id: str
    sender: str
    text: str
    at: datetime
    is_inmail: bool = False


@dataclass(slots=True, kw_only=True)
class SandboxChat:
    """`with_`: the public id of the other one."""

    id: str
    account_id: str
    with_: str
    messages: list[SandboxMessage] = field(default_factory=list)


class LinkedInWorld:
    """What is true at LinkedIn, whoever was told of it.

    `invited` and `written`: everything that ever left, which is what a run is compared with.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.now = clock or (lambda: datetime.now(UTC))
        self.accounts: dict[str, SandboxAccount] = {}
        self.members: set[str] = set()
        self.pending: list[SandboxInvitation] = []
        self.invited: list[SandboxInvitation] = []
        self.withdrawn: dict[tuple[str, str], datetime] = {}
        self.connected: dict[tuple[str, str], datetime] = {}
        self.chats: dict[str, SandboxChat] = {}
        self.written: list[SandboxMessage] = []
        self._numbers = count(1)

    def add_account(self, public_id: str, *, is_premium: bool = True) -> SandboxAccount:
        """A member who logs in through a hosted link."""
        account = SandboxAccount(
            id=f"unipile-{next(self._numbers)}-{public_id}",
            public_id=public_id,
            name=public_id.replace("-", " ").title(),
            created_at=self.now(),
            is_premium=is_premium,
        )
        self.accounts[account.id] = account
        self.members.add(public_id)
        return account

    def member_id(self, account_id: str, public_id: str) -> str:
        seen_as = f"{account_id}/{public_id}".encode()
        return f"ACoAA{hashlib.sha256(seen_as).hexdigest()[:24]}"

    def find_member(self, account_id: str, identifier: str) -> str | None:
        """By public id or by member id, as this account may name them."""
        if identifier in self.members:
            return identifier
        named = (it for it in self.members if self.member_id(account_id, it) == identifier)
        return next(named, None)

    def invite(self, account_id: str, to: str, note: str) -> SandboxInvitation:
        invitation = SandboxInvitation(
            id=f"70{next(self._numbers):08}", account_id=account_id, to=to, note=note, at=self.now()
        )
        self.pending.append(invitation)
        self.invited.append(invitation)
        return invitation

    def find_pending(self, account_id: str, public_id: str) -> SandboxInvitation | None:
        found = (i for i in self.pending if (i.account_id, i.to) == (account_id, public_id))
        return next(found, None)

    def withdraw(self, account_id: str, invitation_id: str) -> bool:
        for invitation in self.pending:
            if (invitation.account_id, invitation.id) == (account_id, invitation_id):
                self.pending.remove(invitation)
                self.withdrawn[(account_id, invitation.to)] = self.now()
                return True
        return False

    def was_withdrawn_lately(self, account_id: str, public_id: str) -> bool:
        at = self.withdrawn.get((account_id, public_id))
        return at is not None and self.now() - at < timedelta(days=21)

    def connect(self, account_id: str, public_id: str) -> None:
        self.connected[(account_id, public_id)] = self.now()
        self.pending = [i for i in self.pending if (i.account_id, i.to) != (account_id, public_id)]

    def chat_with(self, account_id: str, public_id: str) -> SandboxChat | None:
        found = (
            c for c in self.chats.values() if (c.account_id, c.with_) == (account_id, public_id)
        )
        return next(found, None)

    def write(
        self, account_id: str, public_id: str, text: str, *, is_ours: bool, is_inmail: bool = False
    ) -> SandboxMessage:
        """A message between the two, in the chat that they have."""
        chat = self.chat_with(account_id, public_id)
        if chat is None:
            chat = SandboxChat(
                id=f"chat-{next(self._numbers)}", account_id=account_id, with_=public_id
            )
            self.chats[chat.id] = chat
        message = SandboxMessage(
            id=f"message-{next(self._numbers)}",
            chat_id=chat.id,
            account_id=account_id,
            sender=self.accounts[account_id].public_id if is_ours else public_id,
            text=text,
            at=self.now(),
            is_inmail=is_inmail,
        )
        chat.messages.append(message)
        if is_ours:
            self.written.append(message)
        return message
