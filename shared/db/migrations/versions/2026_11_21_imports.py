"""Background jobs, and the files that people upload."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from shared.db.base import CURRENT_COMPANY
from shared.db.fences import audit, fence, let_lookups_read, lookup_function

revision = "2026_11_21_imports"
down_revision = "2026_11_21_access"
branch_labels = None
depends_on = None

_COMPANY = sa.text("nullif(current_setting('app.company_id', true), '')::uuid")
_NOTHING = sa.text("'[]'")
_KINDS = ("import", "run", "launch", "rehearsal")
_STATUSES = ("pending", "running", "completed", "failed", "cancelled")


_FOLDED = ("company_name", "role", "seniority", "industry", "city", "country")
_LISTED = (*(f"{name}_folded" for name in _FOLDED), "linkedin_url", "phone", "fit_score")
_WORDS = "lead_words(company_id, email, name, first_name, last_name, company_name)"
# Every run of other characters becomes a space and the company's mark, so that each word begins
# with the mark and one company's search does not read another's words.
_LEAD_WORDS = """
create function lead_words(company uuid, a text, b text, c text, d text, e text)
returns tsvector language sql immutable parallel safe return array_to_tsvector(string_to_array(
  ltrim(regexp_replace(
    ' ' || lower(coalesce(a, '') || ' ' || coalesce(b, '') || ' ' || coalesce(c, '') || ' '
      || coalesce(d, '') || ' ' || coalesce(e, '')),
    '[^[:alnum:]]+', ' ' || right(company::text, 8), 'g')), ' '))
"""
# The beginnings of words, all of them.
_MATCHING = f"""
select l.company_id, l.id from leads l where l.company_id = {CURRENT_COMPANY} and {_WORDS} @@ (
  select string_agg(quote_literal(right(({CURRENT_COMPANY})::text, 8) || word) || ':*', ' & ')
  from unnest(wanted) word)::tsquery
"""  # noqa: S608 - made of our own words


def upgrade() -> None:
    _create_jobs()
    _create_refused_rows()
    _index_leads()
    app_role = context.config.attributes["app_role"]
    unfinished = lookup_function(
        "imports_unfinished",
        arguments="before timestamptz, most int",
        query="select j.company_id, j.id from jobs j where j.kind = 'import'"
        " and j.finished_at is null and not j.is_held and j.created_at < before"
        " order by j.created_at limit most",
        app_role=app_role,
    )
    matching = lookup_function(
        "leads_matching", arguments="wanted text[]", query=_MATCHING, app_role=app_role
    )
    for statement in [
        *fence("jobs"),
        *audit("jobs"),
        *fence("refused_rows"),
        f'grant select, insert, update, delete on jobs, refused_rows to "{app_role}"',
        *let_lookups_read(
            "jobs", "company_id", "id", "kind", "finished_at", "is_held", "created_at"
        ),
        *let_lookups_read(
            "leads", "company_id", "id", "email", "name", "first_name", "last_name", "company_name"
        ),
        *unfinished,
        *matching,
    ]:
        op.execute(statement)


def _index_leads() -> None:
    """Row security lets only leakproof comparisons use an index: plain columns, made small."""
    op.execute(_LEAD_WORDS)
    for name in _FOLDED:
        folded = sa.Computed(f"lower({name})", persisted=True)
        op.add_column("leads", sa.Column(f"{name}_folded", sa.Text(), folded, nullable=True))
    for name in (*_LISTED, "budget_max"):
        op.create_index(
            f"ix_leads_{name}",
            "leads",
            ["company_id", name, "id"],
            postgresql_where=sa.text(f"{name} is not null"),
        )
    op.create_index("ix_leads_status", "leads", ["company_id", "status", "id"])
    op.create_index("ix_leads_words", "leads", [sa.text(_WORDS)], postgresql_using="gin")


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        sa.Column("kind", _enum("jobkind", _KINDS), nullable=False),
        sa.Column(
            "status", _enum("jobstatus", _STATUSES), server_default="pending", nullable=False
        ),
        sa.Column("is_held", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("processed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("errors", postgresql.JSONB(), server_default=_NOTHING, nullable=False),
        sa.Column("result_url", sa.Text(), nullable=True),
        sa.Column("more", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_jobs_company_id_companies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("company_id", "id", name=op.f("uq_jobs_company_id_id")),
    )
    op.create_index(
        "ix_jobs_unfinished",
        "jobs",
        ["kind", "created_at"],
        postgresql_where=sa.text("finished_at is null and not is_held"),
    )


def _create_refused_rows() -> None:
    op.create_table(
        "refused_rows",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("company_id", sa.Uuid(), server_default=_COMPANY, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cells", sa.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id", "job_id"],
            ["jobs.company_id", "jobs.id"],
            name=op.f("fk_refused_rows_company_id_job_id_jobs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_rows")),
    )
    op.create_index(
        op.f("ix_refused_rows_company_id_job_id_number"),
        "refused_rows",
        ["company_id", "job_id", "number"],
        unique=True,
    )


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=40)
