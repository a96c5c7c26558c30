"""Nobody reaches another company's rows, whatever a query forgets."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from uuid_utils.compat import uuid7

from deploy.local.postgres import Postgres
from shared.db.models import RecipientRow, StepRow, SuppressionRow
from shared.db.session import Database
from shared.domain.channels import Channel
from shared.keyring import Keyring
from tests.db.tenants import FENCED, OUTSIDE, TABLES, make_rows, owner_column, table_names
from tests.factories import Company

REFUSED = "violates row-level security policy"

every_table = pytest.mark.parametrize("name", FENCED)


# Nothing here changes a row of theirs, so that one pair with a row in every table is enough.
@pytest.fixture(scope="module")
async def company(engine: AsyncEngine, keyring: Keyring) -> Company:
    return await Company.make(Database(engine), keyring)


@pytest.fixture(scope="module")
async def stranger(engine: AsyncEngine, keyring: Keyring) -> Company:
    return await Company.make(Database(engine), keyring)


@pytest.fixture(scope="module")
async def neighbours(company: Company, stranger: Company, engine: AsyncEngine) -> None:
    for each in (company, stranger):
        await make_rows(each, Database(engine))


@pytest.fixture(scope="module")
async def owner_engine(postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(postgres.owner_url)
    yield engine
    await engine.dispose()


@every_table
@pytest.mark.usefixtures("neighbours")
async def test_only_the_own_rows_are_seen(name: str, company: Company, database: Database) -> None:
    table = TABLES[name]
    owner = table.c[owner_column(table)]
    async with database.company_session(company.id, user_id=company.user_id) as session:
        owners = set(await session.scalars(select(owner)))
    assert owners == {company.id}


@every_table
@pytest.mark.usefixtures("neighbours")
async def test_another_company_s_rows_cannot_be_named(
    name: str, company: Company, stranger: Company, database: Database
) -> None:
    table = TABLES[name]
    async with database.company_session(stranger.id, user_id=stranger.user_id) as session:
        ids = list(await session.scalars(select(table.c.id)))
    assert ids
    named = table.c.id.in_(ids)
    async with database.company_session(company.id, user_id=stranger.user_id) as session:
        assert list(await session.execute(select(table).where(named))) == []
        touch = update(table).where(named).values(id=table.c.id).returning(table.c.id)
        assert list(await session.scalars(touch)) == []
        assert list(await session.scalars(delete(table).where(named).returning(table.c.id))) == []
    async with database.company_session(stranger.id, user_id=stranger.user_id) as session:
        assert set(await session.scalars(select(table.c.id).where(named))) == set(ids)


@every_table
@pytest.mark.usefixtures("neighbours")
async def test_no_row_can_be_given_to_another_company(
    name: str, company: Company, stranger: Company, database: Database
) -> None:
    table = TABLES[name]
    with pytest.raises(ProgrammingError, match=REFUSED):
        async with database.company_session(company.id, user_id=company.user_id) as session:
            await session.execute(update(table).values({owner_column(table): stranger.id}))


@every_table
@pytest.mark.usefixtures("neighbours")
async def test_no_row_can_be_written_for_another_company(
    name: str, company: Company, stranger: Company, database: Database
) -> None:
    """With all that the row of the other company has, and a new id."""
    table = TABLES[name]
    async with database.company_session(stranger.id, user_id=stranger.user_id) as session:
        row = (await session.execute(select(table).limit(1))).mappings().one()
    copied = {key: value for key, value in row.items() if table.c[key].computed is None}
    copied |= {} if name == "companies" else {"id": uuid7()}
    with pytest.raises(ProgrammingError, match=REFUSED):
        async with database.company_session(company.id, user_id=stranger.user_id) as session:
            await session.execute(insert(table).values(copied))


@every_table
@pytest.mark.usefixtures("neighbours")
async def test_without_a_company_nothing_is_seen(name: str, database: Database) -> None:
    async with database.outside_session() as session:
        assert list(await session.execute(select(TABLES[name]))) == []


@pytest.mark.usefixtures("neighbours")
async def test_a_connection_forgets_its_company(company: Company, postgres: Postgres) -> None:
    """In a pool of one connection the next block gets the same one."""
    engine = create_async_engine(postgres.app_url, pool_size=1, max_overflow=0)
    alone = Database(engine)
    for enter in (alone.company_session, alone.company_transaction):
        async with enter(company.id, user_id=company.user_id) as block:
            assert list(await block.execute(select(RecipientRow.id)))
        async with alone.outside_session() as session:
            assert list(await session.scalars(select(RecipientRow.id))) == []
    await engine.dispose()


async def test_without_a_company_nothing_can_be_written(database: Database) -> None:
    with pytest.raises((ProgrammingError, IntegrityError), match=f"{REFUSED}|null value"):
        async with database.outside_session() as session:
            session.add(SuppressionRow(key_hash=b"-", kind="email", reason="asked"))


async def test_a_foreign_key_does_not_reach_into_another_company(
    company: Company, stranger: Company
) -> None:
    """Postgres checks foreign keys past row security, so the key itself has to hold."""
    theirs = await stranger.make_campaign()
    with pytest.raises(IntegrityError, match="violates foreign key constraint"):
        async with company.session() as session:
            session.add(
                StepRow(
                    campaign_id=theirs.id, position=9, channel=Channel.EMAIL, message_template="-"
                )
            )


async def test_every_foreign_key_between_fenced_tables_names_the_company(
    engine: AsyncEngine,
) -> None:
    keys = await _ask(
        engine,
        """
        select c.conname, c.conrelid::regclass::text as own, c.confrelid::regclass::text as other,
               array(select attname::text from pg_attribute
                     where attrelid = c.conrelid and attnum = any(c.conkey)) as columns
        from pg_constraint c where c.contype = 'f'
        """,
    )
    assert len(keys) > 10
    for key in keys:
        is_inside = key.own in FENCED and key.other in FENCED and key.other != "companies"
        if is_inside:
            assert "company_id" in key.columns, f"{key.conname}: use same_company()"


async def test_every_table_is_fenced_for_its_owner_too(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        names = await connection.run_sync(table_names)
    assert names == {*FENCED, *OUTSIDE, "alembic_version"}
    fenced = await _ask(
        engine,
        """
        select relname from pg_class where relkind in ('r', 'p') and relrowsecurity
        and relforcerowsecurity and relnamespace = 'public'::regnamespace
        """,
    )
    assert {row.relname for row in fenced} == set(FENCED), "add fence() to the migration"


async def test_nothing_but_the_company_opens_a_fence(engine: AsyncEngine) -> None:
    policies = await _ask(
        engine, "select tablename, policyname, permissive, roles, cmd, qual from pg_policies"
    )
    opening = [it for it in policies if it.permissive == "PERMISSIVE" and it.roles == ["public"]]
    assert {it.tablename for it in opening} == set(FENCED)
    assert len(opening) == len(FENCED)
    for policy in opening:
        assert "current_setting('app.company_id'" in policy.qual
    for policy in [it for it in policies if it.permissive == "PERMISSIVE" and it not in opening]:
        assert (policy.roles, policy.cmd) == (["drumbeat_lookup"], "SELECT"), policy.tablename


@every_table
@pytest.mark.usefixtures("neighbours")
async def test_the_owner_of_the_tables_is_fenced_off_too(
    name: str, owner_engine: AsyncEngine
) -> None:
    """Also of what look-ups read: it is a member of their role, and inherits nothing of it."""
    table = TABLES[name]
    async with owner_engine.connect() as connection:
        assert list(await connection.execute(select(table))) == []
        touched = await connection.execute(update(table).values(id=table.c.id))
        assert touched.rowcount == 0
        assert (await connection.execute(delete(table))).rowcount == 0


@pytest.mark.usefixtures("neighbours")
async def test_tokens_are_seen_by_the_user_who_connected_the_account(
    company: Company, stranger: Company, database: Database
) -> None:
    tokens = select(TABLES["account_tokens"].c.user_id)
    seen = {}
    for user in (None, company.user_id, stranger.user_id):
        async with database.company_session(company.id, user_id=user) as session:
            seen[user] = list(await session.scalars(tokens))
    assert seen == {None: [], company.user_id: [company.user_id], stranger.user_id: []}


async def test_the_application_cannot_touch_the_migrations_own_table(engine: AsyncEngine) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        await _ask(engine, "select * from alembic_version")


async def test_views_show_what_their_reader_may_see(engine: AsyncEngine) -> None:
    """A view runs with its owner's rights unless it says otherwise."""
    views = await _ask(
        engine,
        "select relname, reloptions from pg_class where relkind in ('v', 'm')"
        " and relnamespace = 'public'::regnamespace",
    )
    open_views = [
        it.relname for it in views if "security_invoker=true" not in (it.reloptions or [])
    ]
    assert open_views == [], "make it `with (security_invoker = true)`"


async def _ask(engine: AsyncEngine, question: str) -> list[Any]:
    async with engine.connect() as connection:
        return list(await connection.execute(text(question)))


@every_table
async def test_no_frequencies_of_companies_are_kept(name: str, owner_engine: AsyncEngine) -> None:
    """As `keep_no_frequencies` says why: call it where a migration makes a table."""
    asked = text(
        "select attstattarget from pg_attribute where attrelid = cast(:name as regclass)"
        " and attname = 'company_id'"
    )
    async with owner_engine.connect() as connection:
        found = await connection.scalars(asked, {"name": name})
    assert set(found) <= {0}
