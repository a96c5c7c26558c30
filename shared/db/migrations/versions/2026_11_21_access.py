"""Who did what, and what was asked for twice."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from shared.db.fences import audit, audit_functions, audit_recipients, fence

revision = "2026_11_21_access"
down_revision = "2026_11_21_ledger"
branch_labels = None
depends_on = None

AUDITED = (
    "companies",
    "memberships",
    "api_keys",
    "accounts",
    "leads",
    "suppressions",
    "campaigns",
    "steps",
)


def upgrade() -> None:
    _create_tables()
    op.alter_column("users", "password_hash", nullable=True)
    op.add_column("users", sa.Column("oidc_subject", sa.Text(), nullable=True))
    op.create_unique_constraint(op.f("uq_users_oidc_subject"), "users", ["oidc_subject"])
    app_role = context.config.attributes["app_role"]
    statements = [*fence("audit_log"), *audit_functions(), *audit_recipients()]
    for table in AUDITED:
        statements += audit(table)
    tables = "audit_log, idempotency_keys"
    statements.append(f'grant select, insert, update, delete on {tables} to "{app_role}"')
    for statement in statements:
        op.execute(statement)


def _create_tables() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_company_id_id"), "audit_log", ["company_id", "id"])
    op.create_index(
        op.f("ix_audit_log_company_id_subject_id"), "audit_log", ["company_id", "subject_id"]
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_hash", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effect_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("scope_hash", name=op.f("uq_idempotency_keys_scope_hash")),
    )
    op.create_index(op.f("ix_idempotency_keys_expires_at"), "idempotency_keys", ["expires_at"])
    op.create_index(op.f("ix_idempotency_keys_company_id"), "idempotency_keys", ["company_id"])
