"""Several statements that go to Postgres and back together, as each trip costs a step time."""

from collections.abc import Mapping
from typing import Any, cast

from psycopg import AsyncConnection as Driver
from psycopg.rows import namedtuple_row
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.ext.asyncio import AsyncConnection

_DIALECT = dialect()  # type: ignore[no-untyped-call]


class Question:
    """A statement, with `:name` for each of its parameters, as everywhere."""

    def __init__(self, statement: str) -> None:
        self.words = str(text(statement).compile(dialect=_DIALECT)).encode()


async def driver_of(connection: AsyncConnection) -> Driver[Any]:
    """Below SQLAlchemy's, in the same transaction: only it has COPY and pipelines."""
    return cast("Driver[Any]", (await connection.get_raw_connection()).driver_connection)


async def ask_together(
    connection: AsyncConnection, values: Mapping[str, Any], *questions: Question
) -> list[list[Any]]:
    """The rows of each statement, as named tuples.

    They are carried out one after the other, and each sees what was committed before it began:
    one behind a lock sees what was written while the lock was waited for.
    """
    driver = await driver_of(connection)
    cursors = [driver.cursor(row_factory=namedtuple_row) for _ in questions]
    async with driver.pipeline():
        for cursor, question in zip(cursors, questions, strict=True):
            await cursor.execute(question.words, values)
    return [await cursor.fetchall() for cursor in cursors]
