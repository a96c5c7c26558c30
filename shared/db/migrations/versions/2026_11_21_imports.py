"""Background jobs, and the files that people upload."""

revision = "2026_11_21_imports"
down_revision = "2026_11_21_access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
