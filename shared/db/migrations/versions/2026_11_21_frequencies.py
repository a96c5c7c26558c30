"""Plans no longer depend on how many rows a company had some time ago."""

from alembic import op

from shared.db.fences import keep_no_frequencies

revision = "2026_11_21_frequencies"
down_revision = "2026_11_21_meetings"
branch_labels = None
depends_on = None

_TABLES = """
select c.oid::regclass::text from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'company_id' and not a.attisdropped
where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1
"""
# From Postgres 18 on what was counted can be dropped. Before, it stays as it was counted last.
_DROP_WHAT_WAS_COUNTED = """
do $$ begin
  if to_regprocedure('pg_clear_attribute_stats(text, text, text, boolean)') is not null then
    perform pg_clear_attribute_stats('public', '{table}', 'company_id', false);
  end if;
end $$
"""


def upgrade() -> None:
    for [table] in op.get_bind().exec_driver_sql(_TABLES).all():
        op.execute(keep_no_frequencies(table))
        op.execute(_DROP_WHAT_WAS_COUNTED.format(table=table))


def downgrade() -> None:
    for [table] in op.get_bind().exec_driver_sql(_TABLES).all():
        op.execute(f"alter table {table} alter column company_id set statistics -1")
