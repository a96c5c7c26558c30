"""Launches that can be watched and called off."""

import sqlalchemy as sa
from alembic import op

from shared.db.fences import LOOKUP_ROLE

revision = "2026_11_21_launches"
down_revision = "2026_11_21_edits"
branch_labels = None
depends_on = None

# Whose launch somebody has called off is not launched again before somebody asks for it.
_TO_LAUNCH = """
create or replace function campaigns_to_launch() returns table (company_id uuid, id uuid)
language sql stable security definer set search_path = public, pg_temp as $body$
  select c.company_id, c.id from campaigns c
  where c.status = 'active' and c.deleted_at is null {is_wanted} and exists (
    select 1 from recipients r where r.company_id = c.company_id and r.campaign_id = c.id
      and r.launched_at is null and r.ended_at is null)
$body$
"""


def upgrade() -> None:
    held_at = sa.Column("launch_held_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("campaigns", held_at)
    op.add_column("jobs", sa.Column("campaign_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_jobs_company_id_campaign_id_campaigns"),
        "jobs",
        "campaigns",
        ["company_id", "campaign_id"],
        ["company_id", "id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "ix_jobs_launching",
        "jobs",
        ["company_id", "campaign_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'launch' and finished_at is null"),
    )
    op.execute(f"grant select (launch_held_at) on campaigns to {LOOKUP_ROLE}")
    _replace_lookup("and c.launch_held_at is null")


def downgrade() -> None:
    _replace_lookup("")
    op.drop_index("ix_jobs_launching", "jobs")
    op.drop_constraint("fk_jobs_company_id_campaign_id_campaigns", "jobs")
    op.drop_column("jobs", "campaign_id")
    op.drop_column("campaigns", "launch_held_at")


def _replace_lookup(is_wanted: str) -> None:
    op.execute(f"set local role {LOOKUP_ROLE}")
    op.execute(_TO_LAUNCH.format(is_wanted=is_wanted))
    op.execute("reset role")
