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


def keep_no_frequencies(table: str) -> str:
    """Let the planner think that every company has its fair share of the rows.

    What it counts is of companies as they were. One that has just brought 100,000 leads looks as
    if it had a single one, any index that begins with the company then seems as good as the key,
    and checking 100,000 foreign keys reads 100,000 rows each.
    """
    return f"alter table {table} alter column company_id set statistics 0"


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
        f"revoke execute on function {signature} from public",
        f'grant execute on function {signature} to "{app_role}"',
        # Last: whoever gives it away may not change it any more, as roles.sql has it.
        f"alter function {signature} owner to {LOOKUP_ROLE}",
    ]


# Its triggers are named after it. A worker's writes have no actor and are not recorded. Of a long
# text only the beginning is: the log is no place for a whole document. What is kept in small
# letters beside a column says nothing new.
_RECORD_CHANGE = r"""
create or replace function record_change() returns trigger language plpgsql
set search_path = public, pg_temp as $body$
declare
  before jsonb; after jsonb; whole jsonb; field text;
begin
  if tg_op <> 'INSERT' then before := to_jsonb(old); end if;
  if tg_op <> 'DELETE' then after := to_jsonb(new); end if;
  whole := coalesce(after, before);
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(b.key, b.value), jsonb_object_agg(b.key, after -> b.key)
      into before, after
      from jsonb_each(before) b
      where b.key <> 'updated_at' and b.value is distinct from after -> b.key;
    if before is null then return null; end if;
  end if;
  for field in select jsonb_object_keys(whole) loop
    if field ~ '_folded$' then
      before := before - field;
      after := after - field;
    elsif field ~ '(secret|token|password|_hash|^suppression_keys$)' then
      if before -> field <> 'null' then
        before := before || jsonb_build_object(field, '***');
      end if;
      if after -> field <> 'null' then
        after := after || jsonb_build_object(field, '***');
      end if;
    elsif greatest(length(whole ->> field), length(before ->> field)) > 10000 then
      if before ->> field is not null then
        before := before || jsonb_build_object(field, left(before ->> field, 200) || ' ...');
      end if;
      if after ->> field is not null then
        after := after || jsonb_build_object(field, left(after ->> field, 200) || ' ...');
      end if;
    end if;
  end loop;
  insert into audit_log (company_id, actor, action, subject, subject_id, before, after) values (
    coalesce(whole ->> 'company_id', whole ->> 'id')::uuid, current_setting('app.actor'),
    case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'changed' else 'deleted' end,
    tg_table_name, (whole ->> 'id')::uuid, before, after);
  return null;
end
$body$
"""
# 100,000 recipients at once are one line in the log.
_RECORD_ADDED = """
create or replace function record_added() returns trigger language plpgsql
set search_path = public, pg_temp as $body$
begin
  insert into audit_log (company_id, actor, action, subject, subject_id, after)
  select company_id, current_setting('app.actor'), 'created', tg_table_name,
         case when count(*) = 1 then (array_agg(id))[1] end,
         jsonb_build_object('campaign_id', campaign_id, 'count', count(*))
  from added group by company_id, campaign_id;
  return null;
end
$body$
"""
IS_SOMEBODY = "current_setting('app.actor', true) <> ''"


def audit_functions() -> list[str]:
    return [_RECORD_CHANGE, _RECORD_ADDED]


def audit(table: str) -> list[str]:
    """Record every write to it that somebody has asked the gateway for.

    Secrets are masked, by their columns' names, and long texts are cut.
    """
    return [
        f"create trigger record_change after insert or update or delete on {table}"
        f" for each row when ({IS_SOMEBODY}) execute function record_change()"
    ]


def audit_recipients() -> list[str]:
    """What people do to them. What happens to them, many times a second, is in the ledger."""
    return [
        "create trigger record_added after insert on recipients referencing new table as added"
        f" for each statement when ({IS_SOMEBODY}) execute function record_added()",
        "create trigger record_change after update of paused_at, end_reason on recipients"
        f" for each row when ({IS_SOMEBODY} and (old.paused_at is distinct from new.paused_at"
        " or old.end_reason is distinct from new.end_reason"
        " and new.end_reason is distinct from 'campaign ended'))"
        " execute function record_change()",
        "create trigger record_removed after delete on recipients"
        f" for each row when ({IS_SOMEBODY}) execute function record_change()",
    ]
