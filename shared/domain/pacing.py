"""What an account bears: its own limits, what is usual, what providers allow, when it is paused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.channels import AccountKind
from shared.domain.recipient import ActivityName, EndReason
from shared.domain.slots import Limit, Ramp

MINUTE, HOUR, DAY, WEEK = 60, 3_600, 86_400, 604_800

# Mails a day that a mailbox bears for cold mail before it is taken for a spammer's.
COLD_MAILS_A_DAY = 40
# Google's own limits: support.google.com/a/answer/166852. A draft made and sent is 110 units of
# the 6,000 that a user has in a minute.
GMAIL_A_DAY, WORKSPACE_A_DAY, GMAIL_A_MINUTE = 500, 2_000, 54
# What LinkedIn bears of a member: developer.unipile.com, "Provider limits and restrictions". Paid
# accounts are allowed four times as many invitations; whoever is new is better off with less.
INVITATIONS_A_DAY, INVITATIONS_A_WEEK = 20, 100
LINKEDIN_MESSAGES_A_DAY = 50
# How far ahead first mails are booked; the rest stay pending, so that follow-ups find room.
FIRST_MAILS_AHEAD = timedelta(days=3)

# What comes back of these kinds is held against the account.
JUDGED = frozenset({EndReason.BOUNCED, EndReason.COMPLAINT})
# Fewer mails than this say nothing about an account.
LEAST_TO_JUDGE = 20
GUARDED = timedelta(days=7)
MOST_BOUNCED, MOST_COMPLAINTS = 0.08, 0.003
# One person who complains may be a mistake.
LEAST_COMPLAINTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What came of an account's mails in the last days."""

    sent: int
    bounced: int
    complaints: int


def limits_of(
    daily_limit: int | None,
    more: Mapping[str, Any] | None = None,
    *,
    begun_at: datetime,
    kind: AccountKind | None = None,
) -> tuple[Limit, ...]:
    """`more`: an account's further limits as they are stored. `begun_at`: the ramp counts from it.

    Empty: the account has no limits of ours. What Google bears in a minute is looked after where
    there is another limit that has to be counted, and that allows for more.
    """
    found = tuple(_limits(daily_limit, more or {}, begun_at))
    if kind is AccountKind.GMAIL and found and not any(map(_is_as_strict_as_google, found)):
        words = f"the {GMAIL_A_MINUTE} a minute that Google bears"
        found = (*found, Limit(most=GMAIL_A_MINUTE, seconds=MINUTE, words=words))
    return found


def _is_as_strict_as_google(limit: Limit) -> bool:
    """So few that no minute can have more than Google bears."""
    return limit.most * max(1, -(-MINUTE // limit.seconds)) <= GMAIL_A_MINUTE


def linkedin_limits(
    daily_limit: int | None, more: Mapping[str, Any], *, begun_at: datetime
) -> dict[ActivityName, tuple[Limit, ...]]:
    """Invitations and messages count apart; the account's `daily_limit` is about invitations."""
    messages = more.get("messages_per_day", LINKEDIN_MESSAGES_A_DAY)
    others = {name: value for name, value in more.items() if name != "per_week"}
    return {
        ActivityName.LINKEDIN_INVITE: tuple(_limits(daily_limit, more, begun_at, "invitations ")),
        ActivityName.LINKEDIN_MESSAGE: tuple(_limits(messages, others, begun_at, "messages ")),
    }


def _limits(
    daily: int | None, more: Mapping[str, Any], begun_at: datetime, what: str = ""
) -> Iterator[Limit]:
    ramp = more.get("ramp_up")
    if daily is not None or ramp:
        rising = Ramp(begun_at=begun_at, start=ramp["start"], step=ramp["step"]) if ramp else None
        most = daily if daily is not None else WORKSPACE_A_DAY
        words = f"the account's {most} {what}a day"
        yield Limit(most=most, seconds=DAY, words=words, ramp=rising)
    for name, seconds in (("a minute", MINUTE), ("an hour", HOUR), ("a week", WEEK)):
        if number := more.get(f"per_{name.split()[1]}"):
            yield Limit(most=number, seconds=seconds, words=f"the account's {number} {what}{name}")
    if gap := more.get("min_gap_seconds"):
        words = f"{gap} seconds between two of the account's actions"
        jitter = more.get("gap_jitter_seconds") or 0
        yield Limit(most=1, seconds=gap, words=words, jitter_seconds=jitter)


def gmail_ceiling(*, is_workspace: bool) -> int:
    """Mails that Google lets a mailbox send in 24 hours."""
    return WORKSPACE_A_DAY if is_workspace else GMAIL_A_DAY


def trouble_of(health: Health) -> str | None:
    """Why the account is better paused; None while its mails are welcome."""
    if health.sent < LEAST_TO_JUDGE:
        return None
    days = GUARDED.days
    for number, most, what in (
        (health.bounced, MOST_BOUNCED, "bounced"),
        (health.complaints, MOST_COMPLAINTS, "were complained about"),
    ):
        is_sure = what == "bounced" or number >= LEAST_COMPLAINTS
        if is_sure and number > most * health.sent:
            return (
                f"{number} of {health.sent} mails in {days} days {what}, more than"
                f" {most:.1%}: clean the list, then resume the account"
            )
    return None
