"""A provider that fails again and again on one account is left alone there for a while.

The count stands on the account's row, so that all workers know of it. Once the circuit is open,
one attempt at a time finds out whether it may be closed; the other accounts go on as before.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.repositories.serving import Account
from shared.db.session import Database
from shared.domain.recipient import Planned
from shared.domain.windows import whole_second

# So many failures in a row, over so long at the least: a moment's trouble is what retries are for.
TRIES, FAILING_FOR = 5, timedelta(seconds=20)
FIRST_BREAK, LONGEST_BREAK = timedelta(minutes=1), timedelta(minutes=30)
# Longer than one attempt takes.
PROBE = timedelta(seconds=90)

# Beyond `tries` the circuit is open, and only its probes count: each doubles the break.
_FAILED = text("""
with counted as (
  select id, case
    when failures > :tries then failures + 1
    when failures + 1 >= :tries and failing_since <= :failing_before then :tries + 1
    else least(failures + 1, :tries) end as failures
  from accounts where id = :id and (failures <= :tries or :is_probe) for no key update
)
update accounts a set failures = c.failures, failing_since = coalesce(a.failing_since, :now),
  blocked_until = case when c.failures > :tries then :now + least(
    :first_break * pow(2, least(c.failures - :tries - 1, 20)), :longest_break)
    else a.blocked_until end,
  block_reason = case when c.failures > :tries then :reason else a.block_reason end
from counted c where a.id = c.id
returning case when a.failures > :tries then a.blocked_until end
""")
_TAKE_PROBE = text("""
update accounts set blocked_until = :until
where id = :id and failures > :tries and blocked_until <= :now returning id
""")
_WORKS = text("""
update accounts set failures = 0, failing_since = null, blocked_until = null, block_reason = null
where id = :id and failures > 0
""")


async def note_failure(
    database: Database, company_id: UUID, account: Account, *, reason: str, now: datetime
) -> datetime | None:
    """Count a call that the provider did not answer as it should.

    Returns until when the account is left alone; None: it is worth another try.
    """
    values = {
        "id": account.id,
        "tries": TRIES,
        "is_probe": is_open(account),
        "failing_before": now - FAILING_FOR,
        "now": now,
        "first_break": FIRST_BREAK,
        "longest_break": LONGEST_BREAK,
        "reason": f"its provider fails again and again ({reason})",
    }
    async with database.company_transaction(company_id) as connection:
        until: datetime | None = await connection.scalar(_FAILED, values)
    return until


async def note_success(connection: AsyncConnection, account: Account) -> None:
    """Close the circuit. An account that has not failed costs nothing here."""
    if account.failures:
        await connection.execute(_WORKS, {"id": account.id})


async def take_probe(
    connection: AsyncConnection, account: Account, plan: Planned, now: datetime
) -> Planned:
    """The plan, if it may try for all others whether the account works again; else a later one."""
    until = whole_second(now + PROBE)
    values = {"id": account.id, "tries": TRIES, "now": now, "until": until}
    if await connection.scalar(_TAKE_PROBE, values):
        return plan
    label = f"{plan.label}: somebody else tries whether its account works again"
    return Planned(activity=plan.activity, step_id=plan.step_id, at=until, label=label)


def is_open(account: Account) -> bool:
    return account.failures > TRIES
