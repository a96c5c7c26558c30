"""The ledger: every table of a campaign's way, each behind its company's fence."""

from pathlib import Path

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from shared.db.fences import fence, fence_by_user, let_lookups_read, lookup_function

revision = "2026_11_21_ledger"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_tables()
    app_role = context.config.attributes["app_role"]
    for statement in [*_fences(), *_grants(app_role), *_lookups(app_role)]:
        op.execute(statement)
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text())


def _create_tables() -> None:
    op.create_table(
        "companies",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("postal_address", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column(
            "settings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_companies")),
    )
    op.create_table(
        "inbound_events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_event_id", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "reply",
                "auto_reply",
                "bounce",
                "soft_bounce",
                "unsubscribe",
                "complaint",
                "accepted",
                "call_ended",
                "meeting_booked",
                name="inboundkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("recipient_id", sa.Uuid(), nullable=True),
        sa.Column("thread_id", sa.Text(), nullable=True),
        sa.Column(
            "message_ids", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("returns_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "stored_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("signalled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_events")),
        sa.UniqueConstraint(
            "company_id",
            "account_id",
            "provider_event_id",
            name=op.f("uq_inbound_events_company_id_account_id_provider_event_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        op.f("ix_inbound_events_company_id_recipient_id"),
        "inbound_events",
        ["company_id", "recipient_id"],
        unique=False,
    )
    op.create_index(
        "ix_inbound_events_unsignalled",
        "inbound_events",
        ["stored_at"],
        unique=False,
        postgresql_where=sa.text("signalled_at is null and recipient_id is not null"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("gmail", name="accountkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("is_primary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "needs_attention",
                "disconnected",
                name="accountstatus",
                native_enum=False,
                length=40,
            ),
            server_default="active",
            nullable=False,
        ),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("scopes", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("daily_limit", sa.Integer(), nullable=True),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("history_id", sa.Text(), nullable=True),
        sa.Column("last_polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_accounts_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_accounts_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("company_id", "id", name=op.f("uq_accounts_company_id_id")),
        sa.UniqueConstraint(
            "company_id", "user_id", "email", name=op.f("uq_accounts_company_id_user_id_email")
        ),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_api_keys_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_table(
        "leads",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("linkedin_url", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("seniority", sa.Text(), nullable=True),
        sa.Column("company_name", sa.Text(), nullable=True),
        sa.Column("company_website", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("fit_score", sa.Integer(), nullable=True),
        sa.Column("budget_min", sa.BigInteger(), nullable=True),
        sa.Column("budget_max", sa.BigInteger(), nullable=True),
        sa.Column("beds", sa.Integer(), nullable=True),
        sa.Column("areas", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "new",
                "contacted",
                "replied",
                "interested",
                "not_interested",
                "bounced",
                "unsubscribed",
                name="leadstatus",
                native_enum=False,
                length=40,
            ),
            server_default="new",
            nullable=False,
        ),
        sa.Column(
            "location_moves",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "job_changes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("consent", sa.Text(), nullable=True),
        sa.Column(
            "custom",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "suppression_keys",
            sa.ARRAY(sa.LargeBinary()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_leads_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sa.UniqueConstraint("company_id", "email", name=op.f("uq_leads_company_id_email")),
        sa.UniqueConstraint("company_id", "id", name=op.f("uq_leads_company_id_id")),
    )
    op.create_index(
        op.f("ix_leads_company_id_created_at"), "leads", ["company_id", "created_at"], unique=False
    )
    op.create_table(
        "memberships",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum("admin", "director", "member", name="role", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_memberships_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memberships_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint(
            "company_id", "user_id", name=op.f("uq_memberships_company_id_user_id")
        ),
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False)
    op.create_table(
        "oauth_states",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=False),
        sa.Column("code_verifier", sa.LargeBinary(), nullable=True),
        sa.Column("return_to", sa.Text(), nullable=True),
        sa.Column("scopes", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_oauth_states_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_states")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_oauth_states_token_hash")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    op.create_index(op.f("ix_sessions_family_id"), "sessions", ["family_id"], unique=False)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "suppressions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_suppressions_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint(
            "company_id", "key_hash", name=op.f("uq_suppressions_company_id_key_hash")
        ),
    )
    op.create_table(
        "account_tokens",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("refresh_token", sa.LargeBinary(), nullable=False),
        sa.Column("access_token", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["company_id", "account_id"],
            ["accounts.company_id", "accounts.id"],
            name=op.f("fk_account_tokens_company_id_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_tokens")),
        sa.UniqueConstraint(
            "company_id", "account_id", name=op.f("uq_account_tokens_company_id_account_id")
        ),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "email",
                "linkedin",
                "call",
                "multi",
                name="campaigntype",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "active",
                "paused",
                "completed",
                name="campaignstatus",
                native_enum=False,
                length=40,
            ),
            server_default="draft",
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id", "account_id"],
            ["accounts.company_id", "accounts.id"],
            name=op.f("fk_campaigns_company_id_account_id_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_campaigns_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("company_id", "id", name=op.f("uq_campaigns_company_id_id")),
    )
    op.create_index(
        op.f("ix_campaigns_company_id_created_at"),
        "campaigns",
        ["company_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "recipients",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("current_step", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_action_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "next_activity",
            sa.Enum(
                "recipient.plan", "gmail.send", name="activityname", native_enum=False, length=40
            ),
            nullable=True,
        ),
        sa.Column("next_step_id", sa.Uuid(), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "hold_reason",
            sa.Enum(
                "campaign is not active",
                "campaign is paused",
                "recipient is paused",
                "no account is connected",
                "account needs attention",
                "nobody knows whether it was sent",
                "a template variable has no value",
                name="holdreason",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("away_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "end_reason",
            sa.Enum(
                "completed",
                "replied",
                "unsubscribed",
                "bounced",
                "complaint",
                "meeting",
                "refused",
                "suppressed",
                "removed",
                "campaign ended",
                name="endreason",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id", "campaign_id"],
            ["campaigns.company_id", "campaigns.id"],
            name=op.f("fk_recipients_company_id_campaign_id_campaigns"),
        ),
        sa.ForeignKeyConstraint(
            ["company_id", "lead_id"],
            ["leads.company_id", "leads.id"],
            name=op.f("fk_recipients_company_id_lead_id_leads"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipients")),
        sa.UniqueConstraint(
            "company_id",
            "campaign_id",
            "lead_id",
            name=op.f("uq_recipients_company_id_campaign_id_lead_id"),
        ),
        sa.UniqueConstraint("company_id", "id", name=op.f("uq_recipients_company_id_id")),
    )
    op.create_index(
        op.f("ix_recipients_company_id_lead_id"),
        "recipients",
        ["company_id", "lead_id"],
        unique=False,
    )
    op.create_index(
        "ix_recipients_due",
        "recipients",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("launched_at is not null and closed_at is null"),
    )
    op.create_index(
        "ix_recipients_open",
        "recipients",
        ["company_id", "campaign_id"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(
        "ix_recipients_parked",
        "recipients",
        ["company_id", "campaign_id"],
        unique=False,
        postgresql_where=sa.text("parked_at is not null and ended_at is null"),
    )
    op.create_index(
        "ix_recipients_pending",
        "recipients",
        ["company_id", "campaign_id", "id"],
        unique=False,
        postgresql_where=sa.text("launched_at is null and ended_at is null"),
    )
    op.create_table(
        "steps",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("email", name="channel", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("message_template", sa.Text(), nullable=False),
        sa.Column("delay_days", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("delay_hours", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("delay_minutes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("delay_seconds", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["company_id", "campaign_id"],
            ["campaigns.company_id", "campaigns.id"],
            name=op.f("fk_steps_company_id_campaign_id_campaigns"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steps")),
        sa.UniqueConstraint(
            "company_id",
            "campaign_id",
            "position",
            deferrable=True,
            name=op.f("uq_steps_company_id_campaign_id_position"),
        ),
        sa.UniqueConstraint("company_id", "id", name=op.f("uq_steps_company_id_id")),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["company_id", "campaign_id"],
            ["campaigns.company_id", "campaigns.id"],
            name=op.f("fk_versions_company_id_campaign_id_campaigns"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_versions")),
        sa.UniqueConstraint(
            "company_id",
            "campaign_id",
            "number",
            name=op.f("uq_versions_company_id_campaign_id_number"),
        ),
        sa.UniqueConstraint("company_id", "id", name=op.f("uq_versions_company_id_id")),
    )
    op.create_table(
        "actions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "company_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('app.company_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "reserved",
                "sent",
                "refused",
                "unconfirmed",
                "abandoned",
                name="actionstatus",
                native_enum=False,
                length=40,
            ),
            server_default="reserved",
            nullable=False,
        ),
        sa.Column("round", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=True),
        sa.Column("draft_id", sa.Text(), nullable=True),
        sa.Column("thread_id", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("responded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id", "recipient_id"],
            ["recipients.company_id", "recipients.id"],
            name=op.f("fk_actions_company_id_recipient_id_recipients"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
        sa.UniqueConstraint(
            "company_id",
            "recipient_id",
            "step_id",
            name=op.f("uq_actions_company_id_recipient_id_step_id"),
        ),
    )
    op.create_index(
        op.f("ix_actions_company_id_account_id_attempted_at"),
        "actions",
        ["company_id", "account_id", "attempted_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_actions_company_id_account_id_thread_id"),
        "actions",
        ["company_id", "account_id", "thread_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_actions_company_id_message_id"),
        "actions",
        ["company_id", "message_id"],
        unique=False,
    )
    op.create_index(
        "ix_actions_open",
        "actions",
        ["attempted_at"],
        unique=False,
        postgresql_where=sa.text("status in ('reserved', 'unconfirmed')"),
    )


FENCED = (
    "memberships",
    "api_keys",
    "accounts",
    "account_tokens",
    "leads",
    "suppressions",
    "campaigns",
    "steps",
    "versions",
    "recipients",
    "actions",
    "inbound_events",
)
OUTSIDE = ("users", "sessions", "oauth_states")


def _fences() -> list[str]:
    statements = [*fence("companies", column="id"), *fence_by_user("account_tokens")]
    for table in FENCED:
        statements += fence(table)
    return statements


def _grants(app_role: str) -> list[str]:
    tables = ", ".join(["companies", *FENCED, *OUTSIDE])
    return [
        f'grant usage on schema public to "{app_role}"',
        f'grant select, insert, update, delete on {tables} to "{app_role}"',
    ]


READABLE = {
    "memberships": "company_id, id, user_id",
    "api_keys": "company_id, id, key_hash, revoked_at",
    "accounts": "company_id, id, kind, status",
    "campaigns": "company_id, id, status, deleted_at",
    "recipients": "company_id, id, campaign_id, account_id, launched_at, ended_at, closed_at,"
    " next_at, parked_at, hold_reason, paused_at",
    "inbound_events": "company_id, id, stored_at, signalled_at, recipient_id",
    "actions": "company_id, id, status, attempted_at",
}
# name, arguments, query
LOOKUPS = (
    (
        "memberships_of",
        "whose uuid",
        "select m.company_id, m.id from memberships m where m.user_id = whose order by m.id",
    ),
    (
        "company_of_api_key",
        "hash text",
        "select k.company_id, k.id from api_keys k"
        " where k.key_hash = hash and k.revoked_at is null",
    ),
    (
        "accounts_to_poll",
        "shard int, shards int",
        "select a.company_id, a.id from accounts a where a.kind = 'gmail' and a.status = 'active'"
        " and ('x' || right(a.id::text, 4))::bit(16)::int % shards = shard order by a.id",
    ),
    (
        "campaigns_to_launch",
        "",
        "select c.company_id, c.id from campaigns c"
        " where c.status = 'active' and c.deleted_at is null and exists ("
        " select 1 from recipients r where r.company_id = c.company_id and r.campaign_id = c.id"
        " and r.launched_at is null and r.ended_at is null)",
    ),
    (
        "recipients_overdue",
        "before timestamptz, most int",
        "select r.company_id, r.id from recipients r where r.launched_at is not null"
        " and r.closed_at is null and r.next_at < before order by r.next_at limit most",
    ),
    (
        "recipients_parked_in_vain",
        "before timestamptz, most int",
        "select r.company_id, r.id from recipients r"
        " join campaigns c on c.company_id = r.company_id and c.id = r.campaign_id"
        " left join accounts a on a.company_id = r.company_id and a.id = r.account_id"
        " where r.parked_at < before and r.ended_at is null and ("
        " r.hold_reason in ('campaign is paused', 'campaign is not active')"
        " and c.status = 'active'"
        " or r.hold_reason = 'recipient is paused' and r.paused_at is null"
        " or r.hold_reason in ('account needs attention', 'no account is connected')"
        " and a.status = 'active') order by r.parked_at limit most",
    ),
    (
        "events_unsignalled",
        "before timestamptz, most int",
        "select e.company_id, e.id from inbound_events e where e.signalled_at is null"
        " and e.recipient_id is not null and e.stored_at < before order by e.stored_at limit most",
    ),
    (
        "actions_unsettled",
        "before timestamptz, most int",
        "select a.company_id, a.id from actions a where a.status in ('reserved', 'unconfirmed')"
        " and a.attempted_at < before order by a.attempted_at limit most",
    ),
)


def _lookups(app_role: str) -> list[str]:
    statements = []
    for table, columns in READABLE.items():
        statements += let_lookups_read(table, columns)
    for name, arguments, query in LOOKUPS:
        statements += lookup_function(name, arguments=arguments, query=query, app_role=app_role)
    return statements
