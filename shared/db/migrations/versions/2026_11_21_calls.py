"""Phone calls by an AI agent, and the accounts that place them."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from shared.db.fences import fence, fence_by_user

revision = "2026_11_21_calls"
down_revision = "2026_11_21_channels"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")
_OUTCOMES = (
    *("connected", "answered", "voicemail", "no_answer", "opened", "clicked"),
    *("done", "skipped", "failed", "refused"),
)
# Whose call it is that its provider tells of without our mark.
_CALLS_ONLY = sa.text("activity = 'bland.call'")


def upgrade() -> None:
    _create_calls()
    _create_logins()
    op.create_index(
        "ix_actions_calls", "actions", ["company_id", "provider_id"], postgresql_where=_CALLS_ONLY
    )
    app_role = context.config.attributes["app_role"]
    for statement in [
        *fence("calls"),
        *fence("bland_logins"),
        *fence_by_user("bland_logins"),
        f'grant select, insert, update, delete on calls, bland_logins to "{app_role}"',
    ]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("ix_actions_calls", "actions")
    op.drop_table("bland_logins")
    op.drop_table("calls")


def _create_calls() -> None:
    op.create_table(
        "calls",
        *_keys(),
        *(
            sa.Column(name, sa.Uuid(), nullable=name == "account_id")
            for name in (
                *("recipient_id", "campaign_id", "lead_id", "action_id", "step_id", "account_id"),
            )
        ),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Enum(*_OUTCOMES, name="stepoutcome", native_enum=False, length=40)),
        *(
            sa.Column(name, sa.Text(), nullable=True)
            for name in (
                *("phone", "status", "answered_by", "disposition", "summary"),
                *("recording_url", "error"),
            )
        ),
        sa.Column("said_never_again", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("transcript", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("price", sa.Numeric(12, 4), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=name != "placed_at")
            for name in ("placed_at", "started_at", "ended_at", "collected_at")
        ),
        _now("created_at"),
        _same_company("calls", "recipient_id", "recipients"),
        _same_company("calls", "lead_id", "leads"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sa.UniqueConstraint(
            "company_id", "provider_id", name=op.f("uq_calls_company_id_provider_id")
        ),
    )
    op.create_index(
        op.f("ix_calls_company_id_campaign_id_id"), "calls", ["company_id", "campaign_id", "id"]
    )
    for column in ("recipient_id", "action_id", "lead_id"):
        op.create_index(op.f(f"ix_calls_company_id_{column}"), "calls", ["company_id", column])


def _create_logins() -> None:
    op.create_table(
        "bland_logins",
        *_keys(),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("api_key", sa.LargeBinary(), nullable=False),
        sa.Column("webhook_secret", sa.LargeBinary(), nullable=True),
        _now("updated_at"),
        _same_company("bland_logins", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bland_logins")),
        sa.UniqueConstraint(
            "company_id", "account_id", name=op.f("uq_bland_logins_company_id_account_id")
        ),
    )


def _keys() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
    ]


def _now(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _same_company(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["company_id", column],
        [f"{parent}.company_id", f"{parent}.id"],
        name=op.f(f"fk_{table}_company_id_{column}_{parent}"),
        ondelete="CASCADE",
    )
