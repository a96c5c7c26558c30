"""Accounts of LinkedIn, by Unipile."""

import sqlalchemy as sa
from alembic import context, op

from shared.db.fences import fence, let_lookups_read, lookup_function

revision = "2026_11_21_linkedin"
down_revision = "2026_11_21_calls"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")
# name, arguments, query
_LOOKUPS = (
    (
        "linkedin_accounts_to_poll",
        "shard int, shards int",
        "select a.company_id, a.id from accounts a"
        " where a.kind = 'linkedin' and a.status = 'active'"
        " and ('x' || right(a.id::text, 4))::bit(16)::int % shards = shard order by a.id",
    ),
    (
        "account_of_unipile",
        "provider text",
        "select l.company_id, l.account_id from linkedin_accounts l where l.provider_id = provider",
    ),
)


def upgrade() -> None:
    app_role = context.config.attributes["app_role"]
    op.create_table(
        "linkedin_accounts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("provider_id", "member_id", "public_id")
        ),
        sa.Column("note_limit", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=name != "connected_at")
            for name in (
                "invitations_held_until",
                "messages_read_at",
                "connections_read_at",
                "connected_at",
            )
        ),
        sa.ForeignKeyConstraint(
            ["company_id", "account_id"],
            ["accounts.company_id", "accounts.id"],
            name=op.f("fk_linkedin_accounts_company_id_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_linkedin_accounts")),
        sa.UniqueConstraint(
            "company_id", "account_id", name=op.f("uq_linkedin_accounts_company_id_account_id")
        ),
        sa.UniqueConstraint("provider_id", name=op.f("uq_linkedin_accounts_provider_id")),
    )
    op.execute(f'grant select, insert, update, delete on linkedin_accounts to "{app_role}"')
    for statement in [
        *fence("linkedin_accounts"),
        *let_lookups_read("linkedin_accounts", "company_id", "account_id", "provider_id"),
    ]:
        op.execute(statement)
    for name, arguments, query in _LOOKUPS:
        for statement in lookup_function(name, arguments=arguments, query=query, app_role=app_role):
            op.execute(statement)


def downgrade() -> None:
    op.execute("drop function account_of_unipile(text)")
    op.execute("drop function linkedin_accounts_to_poll(int, int)")
    op.drop_table("linkedin_accounts")
