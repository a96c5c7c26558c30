"""Suppressions by reason, and opens and clicks apart from what counts."""

import sqlalchemy as sa
from alembic import context, op

from shared.db.fences import IS_SOMEBODY, audit, fence

revision = "2026_11_21_suppressions"
down_revision = "2026_11_21_content"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")
_KINDS = ("open", "click")
_VISITORS = ("person", "image_proxy", "prefetch", "scanner")

# A file of 50,000 addresses is one line in the log.
_RECORD_SUPPRESSED = """
create function record_suppressed() returns trigger language plpgsql
set search_path = public, pg_temp as $body$
begin
  insert into audit_log (company_id, actor, action, subject, subject_id, after)
  select company_id, current_setting('app.actor'), 'created', tg_table_name,
         case when count(*) = 1 then (array_agg(id))[1] end,
         jsonb_build_object('reason', reason, 'source', source, 'count', count(*))
  from added group by company_id, reason, source;
  return null;
end
$body$
"""
_AUDIT = (
    _RECORD_SUPPRESSED,
    "create trigger record_suppressed after insert on suppressions"
    " referencing new table as added for each statement"
    f" when ({IS_SOMEBODY}) execute function record_suppressed()",
    "drop trigger record_change on suppressions",
    "create trigger record_change after update or delete on suppressions"
    f" for each row when ({IS_SOMEBODY}) execute function record_change()",
)
# Whoever was erased had their domain suppressed as well, which is other people's too. Of the
# other hashes nobody can say any more whether an address or a telephone is behind them.
_MEND = (
    "alter table suppressions no force row level security",
    "alter table leads no force row level security",
    "delete from suppressions s using leads l where s.kind = 'erased'"
    " and l.company_id = s.company_id and l.email is not null"
    " and l.suppression_keys[2] = s.key_hash",
    "update suppressions set reason = 'erased', source = 'erasure' where kind = 'erased'",
    "alter table leads force row level security",
    "alter table suppressions force row level security",
)


def upgrade() -> None:
    source = sa.Column("source", sa.Text(), server_default="inbound", nullable=False)
    op.add_column("suppressions", source)
    op.create_index(op.f("ix_suppressions_company_id_id"), "suppressions", ["company_id", "id"])
    for name in ("track_opens", "track_clicks"):
        op.add_column("campaigns", sa.Column(name, sa.Boolean(), nullable=True))
    _create_tracking_events()
    app_role = context.config.attributes["app_role"]
    for statement in [
        *_MEND,
        *_AUDIT,
        *fence("tracking_events"),
        f'grant select, insert, update, delete on tracking_events to "{app_role}"',
    ]:
        op.execute(statement)


def _create_tracking_events() -> None:
    op.create_table(
        "tracking_events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        *(
            sa.Column(name, sa.Uuid(), nullable=False)
            for name in ("recipient_id", "campaign_id", "step_id", "action_id")
        ),
        sa.Column("kind", _enum("trackingkind", _KINDS), nullable=False),
        sa.Column("visitor", _enum("visitor", _VISITORS), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("hits", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id", "recipient_id"],
            ["recipients.company_id", "recipients.id"],
            name=op.f("fk_tracking_events_company_id_recipient_id_recipients"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracking_events")),
        sa.UniqueConstraint(
            "company_id",
            "action_id",
            "kind",
            "visitor",
            "url",
            name=op.f("uq_tracking_events_company_id_action_id_kind_visitor_url"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    for column in ("campaign_id", "recipient_id"):
        name = op.f(f"ix_tracking_events_company_id_{column}")
        op.create_index(name, "tracking_events", ["company_id", column])


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=40)


def downgrade() -> None:
    op.drop_table("tracking_events")
    for name in ("track_opens", "track_clicks"):
        op.drop_column("campaigns", name)
    op.execute("drop trigger record_suppressed on suppressions")
    op.execute("drop trigger record_change on suppressions")
    op.execute("drop function record_suppressed()")
    for statement in audit("suppressions"):
        op.execute(statement)
    op.drop_index(op.f("ix_suppressions_company_id_id"), "suppressions")
    op.drop_column("suppressions", "source")
