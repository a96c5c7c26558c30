"""Who did what, and what was asked for twice."""

revision = "2026_11_21_access"
down_revision = "2026_11_21_ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
