"""The fence around each company's rows: policies, grants and the few doors in it.

Migrations run these statements; nothing else does.
"""

from shared.db.base import CURRENT_COMPANY, CURRENT_USER

# Owned by nobody who can log in. Its functions tell which company an id belongs to, no more.
LOOKUP_ROLE = "drumbeat_lookup"


def fence(table: str, *, column: str = "company_id") -> list[str]:
    """Show only the current company's rows, to the table's owner as well (FORCE)."""
    return [
        f"alter table {table} enable row level security",
        f"alter table {table} force row level security",
        f"create policy one_company on {table} using ({column} = {CURRENT_COMPANY})",
    ]


def fence_by_user(table: str) -> list[str]:
    """On top of the company's fence: show a row only to the user it belongs to."""
    return [f"create policy one_user on {table} as restrictive using (user_id = {CURRENT_USER})"]


def let_lookups_read(table: str, *columns: str) -> list[str]:
    """Let the look-up functions, and nobody else, read these columns of every company."""
    return [
        f"create policy lookup on {table} for select to {LOOKUP_ROLE} using (true)",
        f"grant select ({', '.join(columns)}) on {table} to {LOOKUP_ROLE}",
    ]


def lookup_function(
    name: str, *, arguments: str, query: str, app_role: str, language: str = "sql"
) -> list[str]:
    """A function that looks across companies and answers (company_id, id) only."""
    signature = f"{name}({arguments})"
    return [
        f"create function {signature} returns table (company_id uuid, id uuid)"
        f" language {language} stable security definer set search_path = public, pg_temp"
        f" as $body$ {query} $body$",
        f"alter function {signature} owner to {LOOKUP_ROLE}",
        f"revoke execute on function {signature} from public",
        f'grant execute on function {signature} to "{app_role}"',
    ]
