"""What people do by hand."""

import sqlalchemy as sa
from alembic import context, op

from shared.db.fences import audit, fence

revision = "2026_11_21_todos"
down_revision = "2026_11_21_linkedin"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")
_CHANNELS = ("email", "linkedin_connection", "linkedin_message", "call", "task")
_STATUSES = ("open", "done", "skipped", "failed", "cancelled")
_OUTCOMES = (
    *("connected", "answered", "voicemail", "no_answer", "opened", "clicked"),
    *("done", "skipped", "failed", "refused"),
)
# Whatever ends a recipient, in whichever channel, takes its open to-do out of people's hands, in
# the same transaction. Its action is over then, and was not done.
_CANCEL = """
create function cancel_todos() returns trigger language plpgsql
set search_path = public, pg_temp as $body$
begin
  with cancelled as (
    update todos set status = 'cancelled', reason = new.end_reason,
      settled_at = clock_timestamp()
    where company_id = new.company_id and recipient_id = new.id and status = 'open'
    returning action_id
  )
  update actions set status = 'abandoned', settled_at = clock_timestamp()
  where id in (select action_id from cancelled) and status = 'placed';
  return null;
end
$body$
"""
_WHEN_ENDED = """
create trigger cancel_todos after update of ended_at on recipients for each row
when (old.ended_at is null and new.ended_at is not null) execute function cancel_todos()
"""


def upgrade() -> None:
    _create_table()
    app_role = context.config.attributes["app_role"]
    for statement in [
        *fence("todos"),
        *audit("todos"),
        f'grant select, insert, update, delete on todos to "{app_role}"',
        _CANCEL,
        _WHEN_ENDED,
    ]:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop trigger cancel_todos on recipients")
    op.execute("drop function cancel_todos()")
    op.drop_table("todos")


def _create_table() -> None:
    op.create_table(
        "todos",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        *_ids("recipient_id", "campaign_id", "action_id", "step_id", "lead_id", "assignee_id"),
        *_ids("created_by", "settled_by"),
        sa.Column("round", sa.Integer(), server_default="1", nullable=False),
        sa.Column("channel", _enum("channel", _CHANNELS), server_default="task", nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("text", "note", "reason")),
        sa.Column("status", _enum("todostatus", _STATUSES), server_default="open", nullable=False),
        sa.Column("outcome", _enum("stepoutcome", _OUTCOMES), nullable=True),
        *(_instant(name) for name in ("due_at", "settled_at")),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todos")),
        sa.UniqueConstraint(
            "company_id", "action_id", "round", name=op.f("uq_todos_company_id_action_id_round")
        ),
        *_foreign_keys(),
    )
    due = ["company_id", "due_at", "id"]
    op.create_index(op.f("ix_todos_company_id_due_at_id"), "todos", due)
    is_open = sa.text("status = 'open'")
    op.create_index("ix_todos_open", "todos", due, postgresql_where=is_open)
    for column in ("recipient_id", "lead_id", "assignee_id"):
        op.create_index(op.f(f"ix_todos_company_id_{column}"), "todos", ["company_id", column])


def _foreign_keys() -> list[sa.ForeignKeyConstraint]:
    company = sa.ForeignKeyConstraint(
        ["company_id"],
        ["companies.id"],
        name=op.f("fk_todos_company_id_companies"),
        ondelete="CASCADE",
    )
    member = sa.ForeignKeyConstraint(
        ["company_id", "assignee_id"],
        ["memberships.company_id", "memberships.user_id"],
        name=op.f("fk_todos_company_id_assignee_id_memberships"),
        ondelete="SET NULL (assignee_id)",
    )
    parents = (("recipient_id", "recipients"), ("lead_id", "leads"))
    return [company, member, *(_same_company(column, table) for column, table in parents)]


def _same_company(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["company_id", column],
        [f"{table}.company_id", f"{table}.id"],
        name=op.f(f"fk_todos_company_id_{column}_{table}"),
        ondelete="CASCADE",
    )


def _ids(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Uuid(), nullable=True) for name in names]


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=40)
