"""Templates, and mails that are sent for a look at them."""

import sqlalchemy as sa
from alembic import context, op

from shared.db.fences import audit, fence

revision = "2026_11_21_content"
down_revision = "2026_11_21_events"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")
_NOW = sa.text("now()")
_TABLES = ("templates", "sample_mails")


def upgrade() -> None:
    _create_templates()
    _create_sample_mails()
    app_role = context.config.attributes["app_role"]
    op.execute(f'grant select, insert, update, delete on {", ".join(_TABLES)} to "{app_role}"')
    for table in _TABLES:
        for statement in [*fence(table), *audit(table)]:
            op.execute(statement)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


def _create_templates() -> None:
    op.create_table(
        "templates",
        *_keys("templates"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("message_template", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _time("created_at", server_default=_NOW),
        _time("updated_at", server_default=_NOW),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_templates_company_id_companies"),
            ondelete="CASCADE",
        ),
    )
    _index("templates", "company_id", "created_at")


def _create_sample_mails() -> None:
    status = sa.Enum(
        *("pending", "sending", "sent", "failed"), name="samplestatus", native_enum=False, length=40
    )
    op.create_table(
        "sample_mails",
        *_keys("sample_mails"),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("status", status, server_default="pending", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _time("created_at", server_default=_NOW),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        *(_same_company(f"{one}_id", f"{one}s") for one in ("campaign", "lead")),
    )
    _index("sample_mails", "company_id", "campaign_id")
    _index("sample_mails", "company_id", "lead_id")


def _keys(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _same_company(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["company_id", column],
        [f"{table}.company_id", f"{table}.id"],
        name=op.f(f"fk_sample_mails_company_id_{column}_{table}"),
        ondelete="CASCADE",
    )


def _time(name: str, *, server_default: sa.TextClause) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=False, server_default=server_default
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
