"""Rehearsals that take a job."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from shared.db.fences import fence

revision = "2026_11_21_rehearsals"
down_revision = "2026_11_21_launches"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")


def upgrade() -> None:
    op.create_table(
        "rehearsals",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("wish", postgresql.JSONB(), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsals")),
        *(_same_company(column, table) for column, table in _PARENTS),
    )
    for column, _ in _PARENTS:
        op.create_index(
            op.f(f"ix_rehearsals_company_id_{column}"),
            "rehearsals",
            ["company_id", column],
            unique=column == "job_id",
        )
    app_role = context.config.attributes["app_role"]
    for statement in [
        *fence("rehearsals"),
        f'grant select, insert, update, delete on rehearsals to "{app_role}"',
    ]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("rehearsals")


_PARENTS = (("job_id", "jobs"), ("campaign_id", "campaigns"))


def _same_company(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["company_id", column],
        [f"{table}.company_id", f"{table}.id"],
        name=op.f(f"fk_rehearsals_company_id_{column}_{table}"),
        ondelete="CASCADE",
    )
