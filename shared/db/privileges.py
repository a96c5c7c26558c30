"""Refuses to run with a login that could look past row level security."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.errors import Misconfigured

# session_user, not current_user: a role taken on by SET ROLE can be left again.
_QUESTION = text("""
select session_user as login,
  exists (select from pg_roles p
          where p.rolsuper and pg_has_role(session_user, p.oid, 'member')) as is_superuser,
  exists (select from pg_roles p
          where p.rolbypassrls and pg_has_role(session_user, p.oid, 'member')) as bypasses,
  exists (select from pg_roles p
          where p.rolcreaterole and pg_has_role(session_user, p.oid, 'member')) as makes_roles,
  exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = 'public' and c.relkind in ('r', 'p')
            and pg_has_role(session_user, c.relowner, 'member')) as owns_tables,
  exists (select from pg_roles p
          where p.rolname in ('drumbeat_lookup', 'pg_read_all_data', 'pg_write_all_data')
            and pg_has_role(session_user, p.oid, 'member')) as reads_all
""")


async def refuse_privileges(engine: AsyncEngine) -> None:
    """Raise Misconfigured when the login of DATABASE_URL could see every company's rows."""
    async with engine.connect() as connection:
        role = (await connection.execute(_QUESTION)).one()
    too_much = [
        words
        for has_it, words in (
            (role.is_superuser, "is a superuser, or may become one"),
            (role.bypasses, "has BYPASSRLS"),
            (role.makes_roles, "may make roles"),
            (role.reads_all, "belongs to a role that reads every company's rows"),
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
