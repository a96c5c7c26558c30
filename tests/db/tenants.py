"""A company with a row in every table, for tests of the fence around it."""

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, Connection, DateTime, Enum, LargeBinary, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from uuid_utils.compat import uuid7

from shared.db.base import Base
from shared.db.session import Database
from tests.factories import NOON, Company

# Asked before the company is known. Whoever adds to them must say here why that is harmless.
OUTSIDE = {
    "users": "a person may belong to several companies; rows are found by login alone",
    "sessions": "found by the hash of a refresh token",
    "oauth_states": "found by the hash of a state, which is all that a provider's redirect names",
    "idempotency_keys": "found by a keyed hash of caller, address and key; answers are sealed",
}
TABLES = {table.name: table for table in Base.metadata.sorted_tables}
FENCED = [name for name in TABLES if name not in OUTSIDE]


async def make_rows(company: Company, database: Database) -> None:
    """A row in each fenced table; a new table gets one without a word here."""
    made = {"companies": company.id, "users": company.user_id, "accounts": company.account_id}
    async with database.company_session(company.id, user_id=company.user_id) as session:
        for name in FENCED:
            if name not in made:
                table = TABLES[name]
                values = {
                    column.name: _value(column, company, made)
                    for column in table.columns
                    if _is_needed(column)
                }
                added = table.insert().values(values).returning(table.c.id)
                made[name] = (await session.execute(added)).scalar_one()


def key_hash(company: Company) -> str:
    """That of the API key which `make_rows` makes."""
    return f"key_hash of {company.id}"


def owner_column(table: Table) -> str:
    return "id" if table.name == "companies" else "company_id"


def table_names(connection: Connection) -> set[str]:
    found = connection.exec_driver_sql(
        "select tablename from pg_tables where schemaname = 'public'"
    ).scalars()
    return set(found)


def _is_needed(column: Column[Any]) -> bool:
    return not column.nullable and column.server_default is None and column.default is None


def _value(column: Column[Any], company: Company, made: dict[str, UUID]) -> Any:
    """Something that the column takes, different for each company."""
    parents = [made.get(key.column.table.name) for key in column.foreign_keys]
    known = {"user_id": company.user_id, "company_id": company.id}
    kind = column.type
    if column.name in known or any(parents):
        return known.get(column.name) or next(filter(None, parents))
    match kind:
        case Uuid():
            return uuid7()
        case DateTime():
            return NOON
        case Enum():
            return next(iter(kind.enum_class)) if kind.enum_class else kind.enums[0]
        case LargeBinary():
            return company.id.bytes
        case ARRAY():
            return []
        case JSONB():
            return {}
        case _ if kind.python_type in {int, float, bool}:
            return kind.python_type(1)
    return f"{column.name} of {company.id}"
