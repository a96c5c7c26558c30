"""Saved filters of leads, secrets that are changed in place, and rows that expire."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from shared.db.fences import audit, audit_functions, fence, lookup_function

revision = "2026_11_21_gateway"
down_revision = "2026_11_21_pacing"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")
_NOW = sa.text("now()")


def upgrade() -> None:
    _create_segments()
    op.add_column("webhooks", sa.Column("old_secret", sa.LargeBinary(), nullable=True))
    op.add_column(
        "webhooks", sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True)
    )
    for table in ("sessions", "oauth_states"):
        op.create_index(op.f(f"ix_{table}_expires_at"), table, ["expires_at"])
    # For the log of messages, in the order of sending.
    op.create_index(
        op.f("ix_actions_company_id_attempted_at_id"),
        "actions",
        ["company_id", "attempted_at", "id"],
    )
    app_role = context.config.attributes["app_role"]
    for statement in [
        *fence("segments"),
        *audit("segments"),
        f'grant select, insert, update, delete on segments to "{app_role}"',
        # Again, for a database that knows them as they were.
        *audit_functions(),
        # Ids begin with their time, so that no index beside the primary key is needed.
        *lookup_function(
            "events_carried",
            arguments="before uuid, most int",
            query="select e.company_id, e.id from events e where e.id < before"
            " and e.fanned_out_at is not null order by e.id limit most",
            app_role=app_role,
        ),
    ]:
        op.execute(statement)


def _create_segments() -> None:
    op.create_table(
        "segments",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("filter", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_segments_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint("company_id", "id", name=op.f("uq_segments_company_id_id")),
        sa.UniqueConstraint("company_id", "name", name=op.f("uq_segments_company_id_name")),
    )
