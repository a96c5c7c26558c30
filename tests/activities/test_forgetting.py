"""What has expired goes, and nothing else."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment
from uuid_utils.compat import uuid7

from activities import forgetting
from activities.forgetting import EVENTS_KEPT_FOR, ForgettingActivities, first_id_at
from shared.db.base import Base
from shared.db.models import EventRow, IdempotencyKeyRow, OAuthStateRow, SessionRow
from shared.db.session import Database
from tests.factories import Company

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


async def forget(database: Database) -> int:
    activities = ForgettingActivities(database=database)
    number: int = await ActivityEnvironment().run(activities.forget)
    return number


def outside_rows(company: Company, expires_at: datetime) -> list[Base]:
    secret = str(uuid4())
    common = {"id": uuid7(), "expires_at": expires_at}
    return [
        SessionRow(user_id=company.user_id, family_id=uuid7(), token_hash=secret, **common),
        OAuthStateRow(
            user_id=company.user_id,
            company_id=company.id,
            token_hash=secret,
            purpose="connect",
            **{**common, "id": uuid7()},
        ),
        IdempotencyKeyRow(
            scope_hash=secret, fingerprint="-", claimed_at=NOW, **{**common, "id": uuid7()}
        ),
    ]


async def test_expired_rows_go_and_good_ones_stay(company: Company, database: Database) -> None:
    expired, good = outside_rows(company, NOW - HOUR), outside_rows(company, NOW + HOUR)
    async with database.outside_session() as session:
        session.add_all([*expired, *good])

    assert await forget(database) >= len(expired)

    async with database.outside_session() as session:
        for row in expired:
            assert await session.get(type(row), row.id) is None, row.__tablename__
        for row in good:
            assert await session.get(type(row), row.id) is not None, row.__tablename__


def old_id(age: timedelta) -> UUID:
    """As `uuidv7()` would have made it then."""
    return UUID(int=first_id_at(NOW - age).int | (uuid7().int & ((1 << 80) - 1)))


async def test_old_events_go_once_they_were_carried(company: Company, database: Database) -> None:
    old = EVENTS_KEPT_FOR + HOUR
    wanted = {
        "old": EventRow(id=old_id(old), fanned_out_at=NOW),
        "old, not carried": EventRow(id=old_id(old)),
        "young": EventRow(id=old_id(EVENTS_KEPT_FOR - HOUR), fanned_out_at=NOW),
    }
    async with company.session() as session:
        for name, row in wanted.items():
            row.name = name
            session.add(row)

    await forget(database)

    async with company.session() as session:
        left = {*await session.scalars(select(EventRow.name))}
    assert left == {"old, not carried", "young"}


async def test_more_than_a_page_goes_page_by_page(
    company: Company, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "PAGE", 2)
    old = EVENTS_KEPT_FOR + HOUR
    async with company.session() as session:
        session.add_all(EventRow(id=old_id(old), name="-", fanned_out_at=NOW) for _ in range(5))

    assert await forget(database) >= 5

    async with company.session() as session:
        assert (await session.scalars(select(EventRow))).all() == []
