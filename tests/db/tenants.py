"""A company with a row in every table, for tests of the fence around it."""

from datetime import timedelta

from sqlalchemy import Connection, Table
from uuid_utils.compat import uuid7

from shared.db.base import Base
from shared.db.models import (
    AccountTokenRow,
    ActionRow,
    ApiKeyRow,
    InboundEventRow,
    MembershipRow,
    Role,
    SuppressionRow,
)
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from tests.factories import NOON, Company

# Asked before the company is known. Whoever adds to them must say here why that is harmless.
OUTSIDE = {
    "users": "a person may belong to several companies; rows are found by login alone",
    "sessions": "found by the hash of a refresh token",
    "oauth_states": "found by the hash of a state, which is all that a provider's redirect names",
}
TABLES = {table.name: table for table in Base.metadata.sorted_tables}
FENCED = [name for name in TABLES if name not in OUTSIDE]


async def make_rows(company: Company, database: Database) -> None:
    """A row in each fenced table, the accounts' tokens as their user writes them."""
    campaign = await company.make_campaign()
    recipient = await company.make_recipient(campaign)
    async with database.company_session(company.id, user_id=company.user_id) as session:
        session.add_all(
            [
                MembershipRow(user_id=company.user_id, role=Role.ADMIN),
                ApiKeyRow(name="key", prefix="db_", key_hash=key_hash(company), scopes=["read"]),
                SuppressionRow(key_hash=company.id.bytes, kind="email", reason="asked"),
                InboundEventRow(
                    provider="gmail",
                    provider_event_id="1",
                    kind=InboundKind.REPLY,
                    recipient_id=recipient.recipient_id,
                    occurred_at=NOON,
                    stored_at=NOON,
                ),
                AccountTokenRow(
                    account_id=company.account_id,
                    user_id=company.user_id,
                    refresh_token=b"sealed",
                    access_token=b"sealed",
                    expires_at=NOON + timedelta(hours=1),
                ),
                ActionRow(
                    recipient_id=recipient.recipient_id,
                    campaign_id=campaign.id,
                    step_id=campaign.step_ids[0],
                    account_id=company.account_id,
                    version_id=uuid7(),
                    planned_at=NOON,
                    attempted_at=NOON,
                ),
            ]
        )


def key_hash(company: Company) -> str:
    return f"hash of {company.id}"


def owner_column(table: Table) -> str:
    return "id" if table.name == "companies" else "company_id"


def table_names(connection: Connection) -> set[str]:
    found = connection.exec_driver_sql(
        "select tablename from pg_tables where schemaname = 'public'"
    ).scalars()
    return set(found)
