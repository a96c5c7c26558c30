"""The accounts that a recipient's steps may go through, as they were read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db.models.accounts import AccountStatus
from shared.domain.channels import AccountKind
from shared.domain.pacing import limits_of, linkedin_limits
from shared.domain.recipient import ActivityName, HoldReason, Station
from shared.domain.slots import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that a step may go through, as it was read.

    `at_once`: so many calls of it may be under way; None: any number.
    """

    id: UUID
    user_id: UUID
    kind: AccountKind
    is_active: bool
    trouble: str | None
    blocked_until: datetime | None
    block_reason: str | None
    failures: int
    limits: tuple[Limit, ...]
    is_named: bool = True
    limits_by_activity: Mapping[ActivityName, tuple[Limit, ...]] = field(default_factory=dict)
    invitations_held_until: datetime | None = None
    at_once: int | None = None

    def limits_for(self, activity: ActivityName) -> tuple[Limit, ...]:
        """What counts for this activity, which at LinkedIn is not what counts for another."""
        return self.limits_by_activity.get(activity, self.limits)


def station_of(account: Account | None, without: HoldReason) -> Station:
    if account is None:
        return Station(held=without)
    return Station(
        free_at=account.blocked_until,
        why=account.block_reason,
        held=None if account.is_active else HoldReason.ACCOUNT_DOWN,
        trouble=account.trouble,
    )


def inviting_station_of(account: Account, without: HoldReason) -> Station:
    """LinkedIn may let an account invite nobody for a while, and write all the same."""
    station = station_of(account, without)
    held = filter(None, (station.free_at, account.invitations_held_until))
    return replace(station, free_at=max(held, default=None))


def to_account(row: dict[str, Any]) -> Account:
    begun_at, kind = datetime.fromisoformat(row["ramp_from_at"]), AccountKind(row["kind"])
    pace, is_linkedin = (row["daily_limit"], row["limits"]), kind is AccountKind.LINKEDIN
    return Account(
        id=UUID(row["id"]),
        user_id=UUID(row["user_id"]),
        kind=kind,
        is_active=row["status"] == AccountStatus.ACTIVE,
        trouble=row["status_reason"],
        blocked_until=instant(row["blocked_until"]),
        block_reason=row["block_reason"],
        failures=row["failures"],
        limits=() if is_linkedin else limits_of(*pace, begun_at=begun_at, kind=kind),
        limits_by_activity=linkedin_limits(*pace, begun_at=begun_at) if is_linkedin else {},
        invitations_held_until=instant(row["invitations_held_until"]),
        is_named=row["is_named"],
        at_once=row["limits"].get("at_once"),
    )


def instant(value: str | None) -> datetime | None:
    """As JSON has it."""
    return datetime.fromisoformat(value) if value else None
