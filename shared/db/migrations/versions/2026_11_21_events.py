"""What has happened, and how often."""

from pathlib import Path

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from shared.db.fences import fence, let_lookups_read, lookup_function

revision = "2026_11_21_events"
down_revision = "2026_11_21_products"
branch_labels = None
depends_on = None

TABLES = ("events", "campaign_counters", "step_counters")
STATUSES = ("pending", "in_progress", "completed", "responded", "failed")
OUTCOMES = ("sent", "failed", "skipped", "replied", "bounced", "unsubscribed")


def upgrade() -> None:
    _create_events()
    _create_counters("campaign_counters", ("campaign_id",), STATUSES)
    _create_counters("step_counters", ("campaign_id", "step_id"), OUTCOMES)
    _add_columns()
    app_role = context.config.attributes["app_role"]
    statements = [
        *(statement for table in TABLES for statement in fence(table)),
        f'grant select, insert, update, delete on {", ".join(TABLES)} to "{app_role}"',
        *let_lookups_read("events", "company_id", "id", "created_at", "fanned_out_at"),
        *lookup_function(
            "events_not_fanned_out",
            arguments="most int",
            query="select e.company_id, e.id from events e where e.fanned_out_at is null"
            " order by e.created_at limit most",
            app_role=app_role,
        ),
    ]
    for statement in statements:
        op.execute(statement)
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text())


def _create_events() -> None:
    op.create_table(
        "events",
        *_first_columns(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("recipient_id", sa.Uuid(), nullable=True),
        sa.Column("action_id", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("fanned_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_company_id_created_at"), "events", ["company_id", "created_at"])
    op.create_index(
        "ix_events_new", "events", ["created_at"], postgresql_where=sa.text("fanned_out_at is null")
    )


def _create_counters(table: str, keys: tuple[str, ...], counts: tuple[str, ...]) -> None:
    zero = sa.text("0")
    op.create_table(
        table,
        *_first_columns(),
        *(sa.Column(key, sa.Uuid(), nullable=False) for key in keys),
        *(sa.Column(name, sa.Integer(), server_default=zero, nullable=False) for name in counts),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        postgresql_with={"fillfactor": "50"},
    )
    columns = ["company_id", *keys]
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)


def _first_columns() -> list[sa.Column[object]]:
    company = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")
    return [
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=company, nullable=False),
    ]


def _add_columns() -> None:
    op.add_column("recipients", sa.Column("hurried_step_id", sa.Uuid(), nullable=True))
    op.add_column("recipients", sa.Column("hurried_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "campaigns",
        sa.Column(
            "account_ids", sa.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    op.add_column("campaigns", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
