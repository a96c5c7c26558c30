"""Statements that go to Postgres together: what each of them sees, and what a failure leaves."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db.round_trips import Question, ask_together
from shared.db.session import Database
from tests.factories import Company

_LOCK = Question("select name from companies where id = :id for update")
_READ = Question("select name as name_now from companies where id = :id")
_FAIL = Question("select 1 / 0")
_PERCENT = Question("select '100%' as share, :id as id")
_END_SESSION = Question("select pg_terminate_backend(pg_backend_pid())")


async def test_the_second_sees_what_was_committed_while_the_first_waited(
    database: Database, company: Company
) -> None:
    waiting = asyncio.Event()

    async def ask() -> str:
        async with database.company_transaction(company.id) as connection:
            waiting.set()
            _, rest = await ask_together(connection, {"id": company.id}, _LOCK, _READ)
            return str(rest[0].name_now)

    async with database.company_transaction(company.id) as connection:
        await connection.execute(text("update companies set name = 'renamed'"))
        asked = asyncio.create_task(ask())
        await waiting.wait()
        await asyncio.sleep(0.1)
        assert not asked.done()

    assert await asked == "renamed"


async def test_rows_have_names_and_a_percent_sign_is_one(database: Database) -> None:
    id_ = uuid4()

    async with database.outside_transaction() as connection:
        [[row]] = await ask_together(connection, {"id": id_}, _PERCENT)

    assert (row.share, row.id) == ("100%", id_)


@pytest.mark.parametrize("questions", [(_FAIL, _READ), (_READ, _FAIL)], ids=["first", "second"])
async def test_one_that_fails_undoes_the_transaction_and_keeps_the_connection(
    database: Database, company: Company, questions: tuple[Question, Question]
) -> None:
    async def rename_and_fail() -> None:
        async with database.company_transaction(company.id) as connection:
            await connection.execute(text("update companies set name = 'half done'"))
            await ask_together(connection, {"id": company.id}, *questions)

    with pytest.raises(psycopg.errors.DivisionByZero):
        await rename_and_fail()

    async with database.company_transaction(company.id) as connection:
        [[row]] = await ask_together(connection, {"id": company.id}, _READ)
    assert row.name_now != "half done"


async def test_a_lost_connection_is_not_used_again(database: Database) -> None:
    async def lose() -> None:
        async with database.outside_transaction() as connection:
            await ask_together(connection, {"id": uuid4()}, _END_SESSION, _READ)

    with pytest.raises((psycopg.OperationalError, DBAPIError)):
        await lose()

    async with database.outside_transaction() as connection:
        assert await connection.scalar(text("select 1")) == 1
