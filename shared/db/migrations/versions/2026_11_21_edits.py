"""What a running campaign is told in the background: pauses that end, edits, wider limits."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from shared.db.fences import fence, let_lookups_read, lookup_function

revision = "2026_11_21_edits"
down_revision = "2026_11_21_appointments"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")
# Once for each link of a mail, and for nobody who only looks through mails.
_TRACKED = """
create function tracking_event_stored() returns trigger language plpgsql as $body$
begin
  insert into events (company_id, name, campaign_id, recipient_id, action_id, payload)
  select new.company_id, case new.kind when 'open' then 'action.opened' else 'action.clicked' end,
    new.campaign_id, new.recipient_id, new.action_id, jsonb_strip_nulls(jsonb_build_object(
      'step_id', new.step_id, 'contact_id', r.lead_id, 'visitor', new.visitor, 'url', new.url,
      'occurred_at', new.first_at))
  from recipients r where r.id = new.recipient_id;
  return null;
end $body$
"""
_ON_TRACKED = """
create trigger tracking_event_stored after insert on tracking_events for each row
when (new.visitor = 'person' or new.kind = 'open' and new.visitor = 'image_proxy')
execute function tracking_event_stored()
"""
_NO, _NOTHING = sa.text("false"), sa.text("'{}'")


def upgrade() -> None:
    _add_columns()
    _create_wakings()
    _create_starts()
    app_role = context.config.attributes["app_role"]
    for statement in [
        *fence("wakings"),
        *fence("campaign_starts"),
        f'grant select, insert, update, delete on wakings, campaign_starts to "{app_role}"',
        *let_lookups_read("wakings", "company_id", "id", "asked_at", "done_at"),
        *lookup_function(
            "wakings_open",
            arguments="before timestamptz, most int",
            query="select w.company_id, w.id from wakings w"
            " where w.done_at is null and w.asked_at < before order by w.asked_at limit most",
            app_role=app_role,
        ),
        _TRACKED,
        _ON_TRACKED,
    ]:
        op.execute(statement)


def _add_columns() -> None:
    for name in ("draft_edits", "dry_run"):
        op.add_column(
            "campaigns", sa.Column(name, sa.Boolean(), server_default=_NO, nullable=False)
        )
    rules = sa.Column("stop_rules", postgresql.JSONB(), server_default=_NOTHING, nullable=False)
    op.add_column("campaigns", rules)
    for name in ("paused_at", "resumed_at"):
        op.add_column("campaigns", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("recipients", sa.Column("pinned_version_id", sa.Uuid(), nullable=True))
    op.add_column("accounts", sa.Column("block_reason", sa.Text(), nullable=True))
    failures = sa.Column("failures", sa.Integer(), server_default="0", nullable=False)
    op.add_column("accounts", failures)
    since = sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True)
    op.add_column("accounts", since)


def _create_wakings() -> None:
    op.create_table(
        "wakings",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("wakes_parked", sa.Boolean(), nullable=False),
        sa.Column("wakes_waiting", sa.Boolean(), nullable=False),
        sa.Column("step_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("place", sa.Uuid(), nullable=True),
        sa.Column("told", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "asked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        *(
            sa.ForeignKeyConstraint(
                ["company_id", f"{name}_id"],
                [f"{name}s.company_id", f"{name}s.id"],
                name=op.f(f"fk_wakings_company_id_{name}_id_{name}s"),
                ondelete="CASCADE",
            )
            for name in ("campaign", "account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wakings")),
        sa.UniqueConstraint("company_id", "id", name=op.f("uq_wakings_company_id_id")),
        sa.UniqueConstraint(
            "company_id",
            "campaign_id",
            "account_id",
            name=op.f("uq_wakings_company_id_campaign_id_account_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_wakings_open", "wakings", ["asked_at"], postgresql_where=sa.text("done_at is null")
    )


def _create_starts() -> None:
    op.create_table(
        "campaign_starts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id", "campaign_id"],
            ["campaigns.company_id", "campaigns.id"],
            name=op.f("fk_campaign_starts_company_id_campaign_id_campaigns"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_starts")),
    )
    op.create_index(
        op.f("ix_campaign_starts_company_id_campaign_id_begun_at"),
        "campaign_starts",
        ["company_id", "campaign_id", "begun_at"],
    )


def downgrade() -> None:
    op.execute("drop trigger tracking_event_stored on tracking_events")
    op.execute("drop function tracking_event_stored()")
    op.execute("drop function wakings_open(timestamptz, int)")
    op.drop_table("campaign_starts")
    op.drop_table("wakings")
    for table, names in {
        "accounts": ("failing_since", "failures", "block_reason"),
        "recipients": ("pinned_version_id",),
        "campaigns": ("resumed_at", "paused_at", "stop_rules", "dry_run", "draft_edits"),
    }.items():
        for name in names:
            op.drop_column(table, name)
