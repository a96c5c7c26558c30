"""Who may log in, what each login can do, and the few doors in the fence."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from deploy.local.postgres import Postgres
from shared.db.privileges import refuse_privileges
from shared.db.session import Database
from shared.errors import Misconfigured
from tests.db.tenants import key_hash, make_rows
from tests.factories import Company

# What runs with the rights of its owner and not of whoever asks.
FUNCTIONS = """
    select p.oid::regprocedure::text as signature, o.rolname as owner, p.proconfig as settings,
           pg_get_function_result(p.oid) as answer,
           coalesce(p.proacl::text[], '{}') as grants
    from pg_proc p join pg_roles o on o.oid = p.proowner
    where p.pronamespace = 'public'::regnamespace and p.prosecdef
"""


@pytest.fixture
async def administrator(postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    yield engine
    await engine.dispose()


@asynccontextmanager
async def login(postgres: Postgres, role: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(postgres.url(role))
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def made_role(administrator: AsyncEngine, definition: str) -> AsyncIterator[str]:
    """A role for the length of the block; `definition` comes behind its name."""
    role = "drumbeat_visitor"
    async with administrator.connect() as connection:
        await connection.execute(text(f"create role {role} login {definition}"))
        await connection.execute(text(f"grant connect on database drumbeat to {role}"))
        await connection.execute(text(f"grant usage on schema public to {role}"))
        try:
            yield role
        finally:
            await connection.execute(text(f"drop owned by {role}"))
            await connection.execute(text(f"drop role {role}"))


async def test_the_application_s_login_is_accepted(engine: AsyncEngine) -> None:
    await refuse_privileges(engine)


@pytest.mark.parametrize(
    ("role", "words"),
    [("postgres", "is a superuser"), ("drumbeat_owner", "owns tables, or may become who owns")],
)
async def test_a_mighty_login_is_refused(postgres: Postgres, role: str, words: str) -> None:
    async with login(postgres, role) as engine:
        with pytest.raises(Misconfigured, match=rf"logs in as '{role}', which .*{words}"):
            await refuse_privileges(engine)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("bypassrls", "has BYPASSRLS"),
        ("in role drumbeat_owner", "may become who owns them"),
        # Not inherited, but SET ROLE gets there.
        ("noinherit in role drumbeat_owner", "may become who owns them"),
    ],
)
async def test_a_login_that_could_become_mighty_is_refused(
    postgres: Postgres, administrator: AsyncEngine, definition: str, words: str
) -> None:
    async with made_role(administrator, definition) as role, login(postgres, role) as engine:
        with pytest.raises(Misconfigured, match=words):
            await refuse_privileges(engine)


async def test_a_role_that_was_put_on_does_not_hide_the_login(postgres: Postgres) -> None:
    """`options=-c role=` can be taken off again by SET ROLE NONE."""
    url = postgres.url("postgres") + "&options=-c%20role%3Ddrumbeat_app"
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        assert await connection.scalar(text("select current_user")) == "drumbeat_app"
    with pytest.raises(Misconfigured, match="is a superuser"):
        await refuse_privileges(engine)
    await engine.dispose()


async def test_the_roles_are_as_weak_as_they_should_be(engine: AsyncEngine) -> None:
    roles = await _ask(
        engine,
        """
        select rolname, rolcanlogin, rolsuper or rolbypassrls or rolcreatedb or rolcreaterole
               or rolreplication as is_mighty,
               exists (select from pg_auth_members where member = r.oid) as is_member,
               exists (select from pg_class where relowner = r.oid) as owns_tables
        from pg_roles r where rolname like 'drumbeat\\_%' and rolname <> 'drumbeat_visitor'
        """,
    )
    found = {it.rolname: (it.rolcanlogin, it.is_member, it.owns_tables) for it in roles}
    assert not any(it.is_mighty for it in roles)
    assert found == {
        "drumbeat_owner": (True, True, True),  # of drumbeat_lookup, to hand functions to it
        "drumbeat_app": (True, False, False),
        "drumbeat_lookup": (False, False, False),
    }


async def test_the_application_waits_for_nothing_for_ever(engine: AsyncEngine) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    async with engine.connect() as connection:
        found = {name: await connection.scalar(text(f"show {name}")) for name in names}
    assert found == dict(zip(names, ("30s", "10s", "30s"), strict=True))


async def test_look_ups_answer_ids_and_nothing_else(engine: AsyncEngine) -> None:
    functions = await _ask(engine, FUNCTIONS)
    assert len(functions) >= 8
    for function in functions:
        assert function.answer == "TABLE(company_id uuid, id uuid)", function.signature
        assert function.owner == "drumbeat_lookup", function.signature
        # Else a temporary table of the caller could stand in for ours.
        assert function.settings == ["search_path=public, pg_temp"], function.signature
        takers = {grant.partition("=")[0] for grant in function.grants}
        assert takers == {"drumbeat_lookup", "drumbeat_app"}, function.signature


async def test_a_look_up_is_not_for_everybody(
    postgres: Postgres, administrator: AsyncEngine
) -> None:
    async with made_role(administrator, "") as role, login(postgres, role) as engine:
        with pytest.raises(ProgrammingError, match="permission denied for function"):
            await _ask(engine, "select * from accounts_to_poll(0, 1)")


async def test_nobody_logs_in_as_the_look_ups(postgres: Postgres) -> None:
    async with login(postgres, "drumbeat_lookup") as engine:
        with pytest.raises(Exception, match="not permitted to log in"):
            await _ask(engine, "select 1")


async def test_look_ups_cannot_read_what_people_wrote(engine: AsyncEngine) -> None:
    columns = await _ask(
        engine,
        """
        select relname, attname,
               has_column_privilege('drumbeat_lookup', c.oid, attnum, 'INSERT, UPDATE') as writes
        from pg_class c join pg_attribute on attrelid = c.oid
        where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0
              and has_column_privilege('drumbeat_lookup', c.oid, attnum, 'SELECT')
        """,
    )
    assert len(columns) > 20
    assert not any(it.writes for it in columns)
    told = {"email", "phone", "text", "subject", "name", "refresh_token", "address", "settings"}
    # A search for words is too slow under row security, so leads_matching asks for the company.
    # A push of Gmail names a mailbox by its address alone.
    shown = {(it.relname, it.attname) for it in columns if it.attname in told}
    assert {it for it in shown if it[0] != "leads"} <= {("accounts", "email")}


async def test_a_search_for_words_stays_in_its_company(
    company: Company, stranger: Company, database: Database
) -> None:
    """Also when a word tries to be more than a word."""
    own, theirs = await company.make_lead(), await stranger.make_lead()
    search = text("select id from leads_matching(:words)")
    found = []
    broken_out = f"x' | '{str(stranger.id)[-8:]}ada"
    for asker, word in ((company, "ada"), (company, broken_out), (None, "ada")):
        inside = database.company_session(asker.id) if asker else database.outside_session()
        async with inside as session:
            found.append(list(await session.scalars(search, {"words": [word]})))
    assert theirs != own
    assert found == [[own], [], []]


async def test_a_key_leads_to_its_company_before_anybody_is_known(
    company: Company, stranger: Company, database: Database
) -> None:
    for each in (company, stranger):
        await make_rows(each, database)
    async with database.outside_session() as session:
        found = await session.execute(
            text("select company_id from company_of_api_key(:hash)"), {"hash": key_hash(company)}
        )
        assert found.scalars().all() == [company.id]
        found = await session.execute(
            text("select company_id from memberships_of(:user)"), {"user": stranger.user_id}
        )
        assert found.scalars().all() == [stranger.id]


async def test_a_temporary_table_does_not_fool_a_look_up(
    company: Company, stranger: Company, database: Database
) -> None:
    await make_rows(company, database)
    async with database.company_session(company.id) as session:
        await session.execute(
            text("create temporary table memberships (company_id uuid, id uuid, user_id uuid)")
        )
        await session.execute(
            text("insert into pg_temp.memberships values (:company, :company, :user)"),
            {"company": stranger.id, "user": company.user_id},
        )
        found = await session.execute(
            text("select company_id from public.memberships_of(:user)"), {"user": company.user_id}
        )
        assert found.scalars().all() == [company.id]
        await session.execute(text("drop table pg_temp.memberships"))


async def _ask(engine: AsyncEngine, question: str) -> list[Any]:
    async with engine.connect() as connection:
        return list(await connection.execute(text(question)))
