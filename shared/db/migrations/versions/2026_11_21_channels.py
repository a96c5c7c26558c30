"""Steps of other channels than mail, conditions between steps, and what comes of a step."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db.fences import LOOKUP_ROLE

revision = "2026_11_21_channels"
down_revision = "2026_11_21_gateway"
branch_labels = None
depends_on = None

# An account is looked for where the recipient needs one next.
_PARKED_IN_VAIN = """
create or replace function recipients_parked_in_vain(before timestamptz, most int)
returns table (company_id uuid, id uuid)
language sql stable security definer set search_path = public, pg_temp as $body$
select r.company_id, r.id from recipients r
join campaigns c on c.company_id = r.company_id and c.id = r.campaign_id
left join accounts a on a.company_id = r.company_id
  and a.id = coalesce(r.next_account_id, r.account_id)
where r.parked_at < before and r.ended_at is null and (
  r.hold_reason in ('campaign is paused', 'campaign is not active') and c.status = 'active'
  or r.hold_reason = 'recipient is paused' and r.paused_at is null
  or r.hold_reason = 'account needs attention' and a.status = 'active'
  or r.hold_reason = 'no account is connected' and exists (
    select from accounts p where p.company_id = r.company_id and p.is_primary
      and p.status = 'active')
  or r.hold_reason = 'no phone line is connected' and exists (
    select from accounts p where p.company_id = r.company_id and p.kind = 'bland'
      and p.status = 'active'))
order by r.parked_at limit most
$body$
"""
# A call that was placed is asked for, also when its recipient has ended.
_UNSETTLED = """
create or replace function actions_unsettled(before timestamptz, most int)
returns table (company_id uuid, id uuid)
language sql stable security definer set search_path = public, pg_temp as $body$
(select a.company_id, a.id from actions a
 where a.status in ('reserved', 'unconfirmed') and a.attempted_at < before
   and not (a.status = 'unconfirmed' and a.attempted_at < before - interval '2 days'
     and exists (select from accounts m where m.company_id = a.company_id
       and m.id = a.account_id and m.kind = 'smtp'))
 order by a.attempted_at limit most)
union all
(select a.company_id, a.id from actions a
 where a.status = 'placed' and a.check_at < before order by a.check_at limit most)
$body$
"""


def upgrade() -> None:
    _add("campaigns", "needs", sa.ARRAY(sa.Text()))
    _add("steps", "options", postgresql.JSONB())
    _add("steps", "guards", postgresql.JSONB(), empty="[]")
    op.add_column("recipients", sa.Column("next_account_id", sa.Uuid(), nullable=True))
    op.execute("update recipients set next_account_id = account_id where slot_at is not null")
    op.drop_index("ix_recipients_slots", "recipients")
    op.create_index(
        "ix_recipients_slots",
        "recipients",
        ["company_id", "next_account_id", "slot_at"],
        postgresql_where=sa.text("slot_at is not null and ended_at is null"),
    )
    op.alter_column("actions", "account_id", nullable=True)
    op.add_column("actions", sa.Column("activity", sa.String(40), nullable=True))
    op.add_column("actions", sa.Column("check_at", sa.DateTime(timezone=True), nullable=True))
    _add("actions", "outcomes", postgresql.JSONB())
    op.create_index(
        "ix_actions_placed",
        "actions",
        ["check_at"],
        postgresql_where=sa.text("status = 'placed' and check_at is not null"),
    )
    op.execute(f"grant select (next_account_id) on recipients to {LOOKUP_ROLE}")
    op.execute(f"grant select (check_at) on actions to {LOOKUP_ROLE}")
    op.execute(f"grant select (kind) on accounts to {LOOKUP_ROLE}")
    op.execute(f"set local role {LOOKUP_ROLE}")
    op.execute(_PARKED_IN_VAIN)
    op.execute(_UNSETTLED)
    op.execute("reset role")


def _add(table: str, name: str, kind: Any, *, empty: str = "{}") -> None:
    default = sa.text(f"'{empty}'")
    op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))
