"""Mailboxes of other providers, and their health."""

import sqlalchemy as sa
from alembic import context, op

from shared.db.fences import LOOKUP_ROLE, fence, fence_by_user, lookup_function

revision = "2026_11_21_mailboxes"
down_revision = "2026_11_21_suppressions"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")

# A mail that left over SMTP and that a person is to decide on is not looked for for ever.
_UNSETTLED = """
create or replace function actions_unsettled(before timestamptz, most int)
returns table (company_id uuid, id uuid)
language sql stable security definer set search_path = public, pg_temp as $body$
select a.company_id, a.id from actions a
where a.status in ('reserved', 'unconfirmed') and a.attempted_at < before
  and not (a.status = 'unconfirmed' and a.attempted_at < before - interval '2 days'
    and exists (select from accounts m where m.company_id = a.company_id
      and m.id = a.account_id and m.kind = 'smtp'))
order by a.attempted_at limit most
$body$
"""
# Whoever had no account goes on once the company has one that it can take.
_PARKED_IN_VAIN = """
create or replace function recipients_parked_in_vain(before timestamptz, most int)
returns table (company_id uuid, id uuid)
language sql stable security definer set search_path = public, pg_temp as $body$
select r.company_id, r.id from recipients r
join campaigns c on c.company_id = r.company_id and c.id = r.campaign_id
left join accounts a on a.company_id = r.company_id and a.id = r.account_id
where r.parked_at < before and r.ended_at is null and (
  r.hold_reason in ('campaign is paused', 'campaign is not active') and c.status = 'active'
  or r.hold_reason = 'recipient is paused' and r.paused_at is null
  or r.hold_reason = 'account needs attention' and a.status = 'active'
  or r.hold_reason = 'no account is connected' and exists (
    select from accounts p where p.company_id = r.company_id and p.is_primary
      and p.status = 'active'))
order by r.parked_at limit most
$body$
"""


def upgrade() -> None:
    op.add_column("accounts", sa.Column("send_as", sa.Text(), nullable=True))
    op.add_column("accounts", sa.Column("signature", sa.Text(), nullable=True))
    _create_logins()
    app_role = context.config.attributes["app_role"]
    for statement in _behind_fences(app_role):
        op.execute(statement)
    op.execute(f"grant select (account_id) on actions to {LOOKUP_ROLE}")
    op.execute(f"grant select (is_primary) on accounts to {LOOKUP_ROLE}")
    op.execute(f"set local role {LOOKUP_ROLE}")
    op.execute(_UNSETTLED)
    op.execute(_PARKED_IN_VAIN)
    op.execute("reset role")


def _behind_fences(app_role: str) -> list[str]:
    return [
        f'grant select, insert, update, delete on mail_logins to "{app_role}"',
        *fence("mail_logins"),
        *fence_by_user("mail_logins"),
        *lookup_function(
            "imap_accounts_to_poll",
            arguments="shard int, shards int",
            query="select a.company_id, a.id from accounts a"
            " where a.kind = 'smtp' and a.status = 'active'"
            " and ('x' || right(a.id::text, 4))::bit(16)::int % shards = shard order by a.id",
            app_role=app_role,
        ),
    ]


def _create_logins() -> None:
    words = ("smtp_host", "smtp_security", "imap_host", "imap_security")
    op.create_table(
        "mail_logins",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("account_type", sa.Text(), nullable=True),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in words),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("smtp_port", "imap_port")),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["company_id", "account_id"],
            ["accounts.company_id", "accounts.id"],
            name=op.f("fk_mail_logins_company_id_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_logins")),
        sa.UniqueConstraint(
            "company_id", "account_id", name=op.f("uq_mail_logins_company_id_account_id")
        ),
    )


def downgrade() -> None:
    op.execute("drop function imap_accounts_to_poll(int, int)")
    op.drop_table("mail_logins")
    op.drop_column("accounts", "signature")
    op.drop_column("accounts", "send_as")
