"""The members of the sandbox's LinkedIn: they accept or ignore invitations, and answer messages.

They know nothing of Drumbeat, as the people of the mailboxes. `deeds` is what they did.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from deploy.sandbox.unipile import FakeUnipile

LOOK_SECONDS = 0.3


class Manners(StrEnum):
    IGNORES = "ignores"
    ACCEPTS = "accepts"
    REPLIES = "replies"
    WANTS_OUT = "wants_out"


WORDS = {
    Manners.REPLIES: "Thank you for writing. Tell me more!",
    Manners.WANTS_OUT: "Please stop writing to me.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxMember:
    """Accepts, and answers the first message, `thinks_seconds` after each came."""

    public_id: str
    manners: Manners
    thinks_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDeed:
    """`deed`: accepted or replied."""

    public_id: str
    account_id: str
    deed: str
    at: datetime


def cast_members(
    public_ids: Sequence[str],
    *,
    seed: int,
    shares: Mapping[Manners, float],
    thinks_seconds: tuple[float, float] = (0.5, 2.5),
) -> dict[str, SandboxMember]:
    """Deal the roles; who is left over accepts and says nothing. The same seed, the same roles."""
    dice = random.Random(seed)  # noqa: S311 - a play to be repeated, not a secret
    roles = [
        manners
        for manners in Manners
        for _ in range(round(shares.get(manners, 0) * len(public_ids)))
    ][: len(public_ids)]
    roles += [Manners.ACCEPTS] * (len(public_ids) - len(roles))
    dice.shuffle(roles)
    return {
        public_id: SandboxMember(
            public_id=public_id,
            manners=manners,
            thinks_seconds=round(dice.uniform(*thinks_seconds), 2),
        )
        for public_id, manners in zip(public_ids, roles, strict=True)
    }


class Members:
    """Plays them until it is cancelled: `await members.play()`."""

    def __init__(self, unipile: FakeUnipile, members: Mapping[str, SandboxMember]) -> None:
        self.deeds: list[MemberDeed] = []
        self._unipile = unipile
        self._members = members
        unipile.world.members |= members.keys()

    async def play(self) -> None:
        while True:
            self.take_turn()
            await asyncio.sleep(LOOK_SECONDS)

    def take_turn(self) -> None:
        """Accept the invitations and answer the messages that were thought about long enough."""
        world = self._unipile.world
        for invitation in list(world.pending):
            member = self._members.get(invitation.to)
            if (
                member
                and member.manners is not Manners.IGNORES
                and self._is_ripe(member, invitation.at)
            ):
                self._unipile.accept(invitation.account_id, member.public_id)
                self._note(member, invitation.account_id, "accepted")
        for chat in list(world.chats.values()):
            member = self._members.get(chat.with_)
            last = chat.messages[-1]
            if member is None or member.manners not in WORDS or last.sender == chat.with_:
                continue
            has_answered = any(message.sender == chat.with_ for message in chat.messages)
            if not has_answered and self._is_ripe(member, last.at):
                self._unipile.reply(chat.account_id, member.public_id, WORDS[member.manners])
                self._note(member, chat.account_id, "replied")

    def _is_ripe(self, member: SandboxMember, since: datetime) -> bool:
        return self._unipile.world.now() - since >= timedelta(seconds=member.thinks_seconds)

    def _note(self, member: SandboxMember, account_id: str, deed: str) -> None:
        at = self._unipile.world.now()
        done = MemberDeed(public_id=member.public_id, account_id=account_id, deed=deed, at=at)
        self.deeds.append(done)
