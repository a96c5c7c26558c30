"""Steps have a name that stays, so that a campaign's file finds them again."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_listings"
down_revision = "2026_11_21_rehearsals"
branch_labels = None
depends_on = None

_UNIQUE = "uq_steps_company_id_campaign_id_key"


def upgrade() -> None:
    op.add_column("steps", sa.Column("key", sa.Text(), nullable=True))
    columns = ["company_id", "campaign_id", "key"]
    op.create_unique_constraint(op.f(_UNIQUE), "steps", columns, deferrable=True)


def downgrade() -> None:
    op.drop_constraint(_UNIQUE, "steps", type_="unique")
    op.drop_column("steps", "key")
