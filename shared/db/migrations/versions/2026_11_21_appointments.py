"""Calendars, and what was agreed with leads."""

import sqlalchemy as sa
from alembic import context, op

from shared.db.fences import audit, fence, fence_by_user

revision = "2026_11_21_appointments"
down_revision = "2026_11_21_todos"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")
_NOW = sa.text("now()")
_TABLES = ("calendars", "calendar_tokens", "appointments")
_PROVIDERS = ("google", "cronofy", "link")
_STATUSES = ("reserved", "booked", "offered", "refused")


def upgrade() -> None:
    _create_calendars()
    _create_tokens()
    _create_appointments()
    app_role = context.config.attributes["app_role"]
    op.execute(f'grant select, insert, update, delete on {", ".join(_TABLES)} to "{app_role}"')
    for table in _TABLES:
        for statement in [*fence(table), *audit(table)]:
            op.execute(statement)
    for statement in fence_by_user("calendar_tokens"):
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_calendars() -> None:
    op.create_table(
        "calendars",
        *_keys("calendars"),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider", _enum("calendarprovider", _PROVIDERS), nullable=False),
        *_texts("email", "booking_url", "provider_calendar_id", "trouble"),
        _time("created_at", server_default=_NOW),
        _time("updated_at", server_default=_NOW),
        _whole("calendars", "company_id", "companies"),
        _whole("calendars", "user_id", "users"),
        _unique("calendars", "company_id", "id"),
        _unique("calendars", "company_id", "user_id"),
    )


def _create_tokens() -> None:
    op.create_table(
        "calendar_tokens",
        *_keys("calendar_tokens"),
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("calendar_id", "user_id")),
        sa.Column("refresh_token", sa.LargeBinary(), nullable=False),
        sa.Column("access_token", sa.LargeBinary(), nullable=False),
        _time("expires_at"),
        _same_company("calendar_tokens", "calendar_id", "calendars"),
        _unique("calendar_tokens", "company_id", "calendar_id"),
    )


def _create_appointments() -> None:
    op.create_table(
        "appointments",
        *_keys("appointments"),
        *(
            sa.Column(name, sa.Uuid(), nullable=False)
            for name in ("calendar_id", "user_id", "lead_id")
        ),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in ("recipient_id", "created_by")),
        sa.Column("title", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            for name in ("starts_at", "ends_at", "booked_at")
        ),
        sa.Column("status", _enum("appointmentstatus", _STATUSES), nullable=False),
        *_texts("url", "refusal"),
        _time("created_at", server_default=_NOW),
        _same_company("appointments", "calendar_id", "calendars"),
        _same_company("appointments", "lead_id", "leads"),
        _same_company("appointments", "recipient_id", "recipients"),
    )
    for columns in (("calendar_id", "starts_at"), ("lead_id",), ("recipient_id",), ("id",)):
        name = op.f(f"ix_appointments_company_id_{'_'.join(columns)}")
        op.create_index(name, "appointments", ["company_id", *columns])


def _keys(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _texts(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=True) for name in names]


def _time(name: str, *, server_default: sa.TextClause | None = None) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=False, server_default=server_default
    )


def _whole(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{parent}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


def _same_company(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["company_id", column],
        [f"{parent}.company_id", f"{parent}.id"],
        name=op.f(f"fk_{table}_company_id_{column}_{parent}"),
        ondelete="CASCADE",
    )


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=40)
