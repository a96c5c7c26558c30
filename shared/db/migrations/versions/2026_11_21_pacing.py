"""Windows, limits and slots."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_pacing"
down_revision = "2026_11_21_answers"
branch_labels = None
depends_on = None

_NOTHING = sa.text("'{}'")
_INSTANTS = (
    ("campaigns", "start_at"),
    ("accounts", "ramp_from_at"),
    ("accounts", "trusted_from_at"),
    ("recipients", "slot_at"),
)


def upgrade() -> None:
    for table, name in _INSTANTS:
        op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("campaigns", sa.Column("window", postgresql.JSONB(), nullable=True))
    op.add_column("campaigns", sa.Column("time_zone", sa.Text(), nullable=True))
    for table in ("campaigns", "accounts"):
        limits = sa.Column("limits", postgresql.JSONB(), server_default=_NOTHING, nullable=False)
        op.add_column(table, limits)
    op.add_column("accounts", sa.Column("daily_ceiling", sa.Integer(), nullable=True))
    days = sa.Column("delay_business_days", sa.Integer(), server_default="0", nullable=False)
    op.add_column("steps", days)
    op.add_column("steps", sa.Column("on_date", sa.Date(), nullable=True))
    op.add_column("recipients", sa.Column("slot_step_id", sa.Uuid(), nullable=True))
    op.add_column("recipients", sa.Column("slot_words", sa.Text(), nullable=True))
    op.create_index(
        "ix_recipients_slots",
        "recipients",
        ["company_id", "account_id", "slot_at"],
        postgresql_where=sa.text("slot_at is not null and ended_at is null"),
    )


def downgrade() -> None:
    op.drop_index("ix_recipients_slots")
    for table, names in {
        "recipients": ("slot_at", "slot_step_id", "slot_words"),
        "steps": ("delay_business_days", "on_date"),
        "accounts": ("daily_ceiling", "limits", "ramp_from_at", "trusted_from_at"),
        "campaigns": ("window", "limits", "time_zone", "start_at"),
    }.items():
        for name in names:
            op.drop_column(table, name)
