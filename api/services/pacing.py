"""What a change of limits means for an account: within the provider's, and from when it counts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.db.models import AccountRow
from shared.errors import Invalid

# Whatever may bring a plan forward, or has to push it back.
OF_ACCOUNTS = frozenset({"daily_limit", "limits"})
OF_CAMPAIGNS = frozenset({"window", "limits", "time_zone", "start_at"})


def change_limits(account: AccountRow, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are stored. Raises Invalid beyond what the provider allows."""
    changed = dict(fields)
    daily, ceiling = fields.get("daily_limit"), account.daily_ceiling
    if daily is not None and ceiling is not None and daily > ceiling:
        raise Invalid(
            f"The provider allows {ceiling} mails in 24 hours: use that or less",
            field="daily_limit",
        )
    if "limits" in fields:
        changed["limits"] = fields["limits"] or {}
        ramp = changed["limits"].get("ramp_up")
        if ramp != account.limits.get("ramp_up"):
            changed["ramp_from_at"] = datetime.now(UTC) if ramp else None
    return changed
