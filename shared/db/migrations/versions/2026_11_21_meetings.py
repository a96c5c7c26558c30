"""Appointments that were reserved and never confirmed are found again."""

import sqlalchemy as sa
from alembic import context, op

from shared.db.fences import LOOKUP_ROLE, let_lookups_read, lookup_function

revision = "2026_11_21_meetings"
down_revision = "2026_11_21_listings"
branch_labels = None
depends_on = None

_INDEX = "ix_appointments_reserved"


def upgrade() -> None:
    op.create_index(
        _INDEX, "appointments", ["created_at"], postgresql_where=sa.text("status = 'reserved'")
    )
    statements = [
        *let_lookups_read("appointments", "company_id", "id", "status", "created_at"),
        *lookup_function(
            "appointments_unsettled",
            arguments="before timestamptz, most int",
            query="select a.company_id, a.id from appointments a"
            " where a.status = 'reserved' and a.created_at < before"
            " order by a.created_at limit most",
            app_role=context.config.attributes["app_role"],
        ),
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function appointments_unsettled(timestamptz, int)")
    op.execute("drop policy lookup on appointments")
    op.execute(f"revoke all on appointments from {LOOKUP_ROLE}")
    op.drop_index(_INDEX, "appointments")
