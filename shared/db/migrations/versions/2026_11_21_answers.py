"""What answers mean, and mailboxes that tell us of them."""

import sqlalchemy as sa
from alembic import context, op

from shared.db.fences import LOOKUP_ROLE, lookup_function

revision = "2026_11_21_answers"
down_revision = "2026_11_21_mailboxes"
branch_labels = None
depends_on = None

_CLASS = sa.Enum(
    "interested",
    "not_interested",
    "question",
    "later",
    name="replyclass",
    native_enum=False,
    length=40,
)
_SOURCE = sa.Enum("rules", "model", name="classsource", native_enum=False, length=40)
_EVENT_COLUMNS = (
    ("delivery_status", sa.Text()),
    ("reply_class", _CLASS),
    ("class_source", _SOURCE),
    ("class_asked_at", sa.DateTime(timezone=True)),
    ("match_tried_at", sa.DateTime(timezone=True)),
)
_ACCOUNT_COLUMNS = (
    ("watched_until", sa.DateTime(timezone=True)),
    ("warning", sa.Text()),
    ("warned_at", sa.DateTime(timezone=True)),
)
_READABLE = {
    "inbound_events": "kind, class_source, class_asked_at, match_tried_at",
    "accounts": "email, watched_until",
}
# name, arguments, query
_LOOKUPS = (
    (
        "accounts_of_address",
        "address text",
        "select a.company_id, a.id from accounts a"
        " where a.email = address and a.kind = 'gmail' and a.status = 'active'",
    ),
    (
        "accounts_to_watch",
        "before timestamptz",
        "select a.company_id, a.id from accounts a where a.kind = 'gmail'"
        " and a.status = 'active' and coalesce(a.watched_until < before, true) order by a.id",
    ),
    (
        # The one that was tried the longest ago comes first.
        "events_unmatched",
        "since timestamptz, before timestamptz, most int",
        "select e.company_id, e.id from inbound_events e where e.recipient_id is null"
        " and e.stored_at > since and coalesce(e.match_tried_at, e.stored_at) < before"
        " order by coalesce(e.match_tried_at, e.stored_at) limit most",
    ),
    (
        # The newest first: what a model cannot be asked about must not hold up the others.
        "replies_unasked",
        "since timestamptz, most int",
        "select e.company_id, e.id from inbound_events e where e.class_source = 'rules'"
        " and e.class_asked_at is null and e.stored_at > since"
        " order by e.stored_at desc limit most",
    ),
)
_CLASSIFIED = """
create function reply_classified() returns trigger language plpgsql as $body$
begin
  insert into events (company_id, name, campaign_id, recipient_id, payload)
  select new.company_id, 'reply.classified', r.campaign_id, r.id, jsonb_build_object(
    'inbound_event_id', new.id, 'class', new.reply_class, 'source', new.class_source,
    'contact_id', r.lead_id)
  from recipients r where r.id = new.recipient_id;
  return null;
end $body$
"""
_WHEN_CLASSIFIED = """
create trigger reply_classified after update of reply_class on inbound_events
  for each row when (new.reply_class is distinct from old.reply_class)
  execute function reply_classified()
"""


def upgrade() -> None:
    for name, kind in _EVENT_COLUMNS:
        op.add_column("inbound_events", sa.Column(name, kind, nullable=True))
    for name, kind in _ACCOUNT_COLUMNS:
        op.add_column("accounts", sa.Column(name, kind, nullable=True))
    op.add_column("recipients", sa.Column("reply_class", _CLASS, nullable=True))
    tried_at = sa.text("coalesce(match_tried_at, stored_at)")
    op.create_index(
        "ix_inbound_events_unmatched",
        "inbound_events",
        [tried_at],
        postgresql_where=sa.text("recipient_id is null"),
    )
    op.create_index(
        "ix_inbound_events_unasked",
        "inbound_events",
        ["stored_at"],
        postgresql_where=sa.text("class_source = 'rules' and class_asked_at is null"),
    )
    op.create_index("ix_accounts_email", "accounts", ["email"])
    for table, columns in _READABLE.items():
        op.execute(f"grant select ({columns}) on {table} to {LOOKUP_ROLE}")
    app_role = context.config.attributes["app_role"]
    for name, arguments, query in _LOOKUPS:
        for statement in lookup_function(name, arguments=arguments, query=query, app_role=app_role):
            op.execute(statement)
    op.execute(_CLASSIFIED)
    op.execute(_WHEN_CLASSIFIED)


def downgrade() -> None:
    op.execute("drop trigger reply_classified on inbound_events")
    op.execute("drop function reply_classified()")
    for name, arguments, _ in _LOOKUPS:
        kinds = ", ".join(argument.split()[1] for argument in arguments.split(", "))
        op.execute(f"drop function {name}({kinds})")
    op.drop_index("ix_accounts_email", "accounts")
    op.drop_index("ix_inbound_events_unasked", "inbound_events")
    op.drop_index("ix_inbound_events_unmatched", "inbound_events")
    op.drop_column("recipients", "reply_class")
    for name, _ in _ACCOUNT_COLUMNS:
        op.drop_column("accounts", name)
    for name, _ in _EVENT_COLUMNS:
        op.drop_column("inbound_events", name)
