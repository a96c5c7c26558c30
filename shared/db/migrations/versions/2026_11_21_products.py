"""Products, and where our events are sent."""

revision = "2026_11_21_products"
down_revision = "2026_11_21_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
