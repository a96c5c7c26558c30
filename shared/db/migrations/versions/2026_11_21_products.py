"""Products, and where our events are sent."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from shared.db.fences import audit, fence, let_lookups_read, lookup_function

revision = "2026_11_21_products"
down_revision = "2026_11_21_imports"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")
_NOW = sa.text("now()")
_TABLES = ("products", "webhooks", "webhook_deliveries")
_READABLE = {
    "webhooks": ("company_id", "id", "is_enabled", "resting_until", "last_attempt_at"),
    "webhook_deliveries": ("company_id", "id", "webhook_id", "status", "next_at", "created_at"),
}
# name, arguments, query
_LOOKUPS = (
    (
        # The one that was tried the longest ago comes first, so that nobody starves.
        "webhooks_due",
        "before timestamptz, most int",
        "select w.company_id, w.id from webhooks w where w.is_enabled"
        " and coalesce(w.resting_until <= before, true) and exists ("
        " select from webhook_deliveries d where d.company_id = w.company_id"
        " and d.webhook_id = w.id and d.status = 'pending' and d.next_at <= before)"
        " order by w.last_attempt_at nulls first, w.id limit most",
    ),
    (
        "webhook_deliveries_settled",
        "before timestamptz, most int",
        "select d.company_id, d.id from webhook_deliveries d where d.status <> 'pending'"
        " and d.created_at < before order by d.created_at limit most",
    ),
)


def upgrade() -> None:
    _create_products()
    _create_webhooks()
    _create_deliveries()
    op.add_column("campaigns", sa.Column("product_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_campaigns_company_id_product_id_products"),
        "campaigns",
        "products",
        ["company_id", "product_id"],
        ["company_id", "id"],
    )
    app_role = context.config.attributes["app_role"]
    for statement in _behind_fences(app_role):
        op.execute(statement)


def _behind_fences(app_role: str) -> list[str]:
    statements = [f'grant select, insert, update, delete on {", ".join(_TABLES)} to "{app_role}"']
    for table in _TABLES:
        statements += fence(table)
    for table in ("products", "webhooks"):
        statements += audit(table)
    for table, columns in _READABLE.items():
        statements += let_lookups_read(table, *columns)
    for name, arguments, query in _LOOKUPS:
        statements += lookup_function(name, arguments=arguments, query=query, app_role=app_role)
    return statements


def _create_products() -> None:
    op.create_table(
        "products",
        *_keys("products"),
        sa.Column("product_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_key", sa.Text(), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("kind", _enum("documentkind", "docx", "pdf", "txt"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_length", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _time("created_at", nullable=False, server_default=_NOW),
        _time("updated_at", nullable=False, server_default=_NOW),
        _time("deleted_at"),
        _company_itself("products"),
        sa.UniqueConstraint("company_id", "id", name=op.f("uq_products_company_id_id")),
    )
    _index("products", "company_id", "created_at")


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        *_keys("webhooks"),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _time("failing_since"),
        _time("resting_until"),
        _time("last_attempt_at"),
        _time("last_success_at"),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _time("created_at", nullable=False, server_default=_NOW),
        _time("updated_at", nullable=False, server_default=_NOW),
        _company_itself("webhooks"),
        sa.UniqueConstraint("company_id", "id", name=op.f("uq_webhooks_company_id_id")),
    )
    _index("webhooks", "company_id", "created_at")


def _create_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        *_keys("webhook_deliveries"),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        _time("occurred_at", nullable=False),
        sa.Column(
            "status",
            _enum("deliverystatus", "pending", "delivered", "failed"),
            server_default="pending",
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _time("next_at", server_default=_NOW),
        _time("last_attempt_at"),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.Column("response_ms", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        _time("delivered_at"),
        _time("created_at", nullable=False, server_default=_NOW),
        sa.ForeignKeyConstraint(
            ["company_id", "webhook_id"],
            ["webhooks.company_id", "webhooks.id"],
            name=op.f("fk_webhook_deliveries_company_id_webhook_id_webhooks"),
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "company_id",
            "webhook_id",
            "event_id",
            name=op.f("uq_webhook_deliveries_company_id_webhook_id_event_id"),
        ),
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["company_id", "webhook_id", "next_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_webhook_deliveries_settled",
        "webhook_deliveries",
        ["created_at"],
        postgresql_where=sa.text("status <> 'pending'"),
    )


def _keys(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _company_itself(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["company_id"],
        ["companies.id"],
        name=op.f(f"fk_{table}_company_id_companies"),
        ondelete="CASCADE",
    )


def _time(
    name: str, *, nullable: bool = True, server_default: sa.TextClause | None = None
) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=nullable, server_default=server_default
    )


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=40)


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
