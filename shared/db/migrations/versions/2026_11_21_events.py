"""What has happened, and how often."""

revision = "2026_11_21_events"
down_revision = "2026_11_21_products"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
