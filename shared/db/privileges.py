"""Refuses to run with a login that could look past row level security."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.errors import Misconfigured

# session_user, not current_user: a role taken on by SET ROLE can be left again.
_QUESTION = text("""
select r.rolsuper as is_superuser, r.rolbypassrls as bypasses,
       exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname = 'public' and c.relkind in ('r', 'p')
                 and pg_has_role(session_user, c.relowner, 'member')) as owns_tables,
       r.rolname as login
from pg_roles r where r.rolname = session_user
""")


async def refuse_privileges(engine: AsyncEngine) -> None:
    """Raise Misconfigured when the login of DATABASE_URL could see every company's rows."""
    async with engine.connect() as connection:
        role = (await connection.execute(_QUESTION)).one()
    too_much = [
        words
        for has_it, words in (
            (role.is_superuser, "is a superuser"),
            (role.bypasses, "has BYPASSRLS"),
            (role.owns_tables, "owns tables, or may become who owns them"),
        )
        if has_it
    ]
    if too_much:
        raise Misconfigured(
            f"DATABASE_URL logs in as {role.login!r}, which {' and '.join(too_much)}. Companies"
            " are kept apart by row level security, so use the application login that"
            " deploy/postgres/roles.sql makes (drumbeat_app)."
        )
