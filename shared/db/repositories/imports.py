"""The rows of a file on their way into the leads: set by set, inside the caller's transaction.

A row is known by its email address, else its LinkedIn profile, else its phone number. A lead that
has it already is changed: a later value wins unless it is empty, lists are united, status and
consent stay. Row security forbids COPY into the leads, so it goes by a temporary table.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection as Driver
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.round_trips import driver_of

# The order in which shared/importing/rows.py writes a line.
TEXTS = """email linkedin_url phone first_name last_name name title role seniority company_name
company_website industry city region country language source consent time_zone""".split()  # noqa: SIM905 - a list literal takes twenty lines
NUMBERS = ("fit_score", "budget_min", "budget_max", "beds")
RECORDS = ("location_moves", "job_changes")
COLUMNS = (*TEXTS, *NUMBERS, "areas", *RECORDS, "status", "custom")
EXTRA = {"batch": "int", "kind": "text", "number": "int"}
EXTRA |= {"email_keys": "bytea[]", "phone_keys": "bytea[]", "linkedin_keys": "bytea[]"}
_TYPES = {"areas": "text[]", "custom": "jsonb", **dict.fromkeys(NUMBERS, "bigint")}
_TYPES |= dict.fromkeys(RECORDS, "jsonb")
_EMPTY = {"areas": "'{}'", "custom": "'{}'", "status": "'new'", **dict.fromkeys(RECORDS, "'[]'")}


# The entries that a lead does not have yet.
_MORE = """coalesce((select jsonb_agg(e order by n) from jsonb_array_elements(r.{0})
with ordinality as u (e, n) where not l.{0} @> jsonb_build_array(e)), '[]')"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """How many leads are new, and how many were there."""

    created: int
    updated: int


async def merge_rows(
    connection: AsyncConnection, lines: bytes, *, batches: Sequence[str]
) -> Merged:
    """Take in a chunk's lines for COPY, batch after batch; each says which kinds it has."""
    driver = await driver_of(connection)
    await driver.execute(_CREATE)
    async with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        await copy.write(lines)
    created = updated = 0
    for number, kinds in enumerate(batches):
        # Who has an address last: rows without one can only mean leads from before them.
        for kind in sorted(kinds, reverse=True):
            values = {"batch": number, "kind": kind}
            rows = (await driver.execute(_COUNTED, values)).rowcount
            known = await _change(driver, kind, values)
            new = (await driver.execute(_INSERT[kind], values)).rowcount
            if known + new < rows:
                # Somebody has added such a lead since we looked; now it is there to be changed.
                await _change(driver, kind, values)
            created, updated = created + new, updated + rows - new
    return Merged(created=created, updated=updated)


async def _change(driver: Driver[Any], kind: str, values: dict[str, object]) -> int:
    """Write the rows whose leads are there; how many those are."""
    if kind == "n":
        return 0
    await driver.execute(_FIND[kind], values)
    return (await driver.execute(_UPDATE, values)).rowcount


async def keep_refusals(
    connection: AsyncConnection, job_id: UUID, refusals: Sequence[tuple[int, str, list[str]]]
) -> None:
    """`refusals`: number, reason and cells of each row."""
    if not refusals:
        return
    rows = [{"number": n, "reason": reason, "cells": cells} for n, reason, cells in refusals]
    await connection.execute(_REFUSED, {"job_id": job_id, "rows": json.dumps(rows)})


def _assignments() -> str:
    """From the row `r` to the lead `l`."""
    plain = [f"{name} = coalesce(r.{name}, l.{name})" for name in (*TEXTS, *NUMBERS)]
    plain.remove("consent = coalesce(r.consent, l.consent)")
    records = [f"{name} = l.{name} || {_MORE.format(name)}" for name in RECORDS]
    return ", ".join(
        [
            *plain,
            *records,
            "consent = coalesce(l.consent, r.consent)",
            "areas = l.areas || array(select a from unnest(r.areas) with ordinality as u (a, n)"
            " where a <> all (l.areas) order by n)",
            "custom = l.custom || coalesce(r.custom, '{}')",
            f"suppression_keys = {_keys()}",
            "updated_at = now()",
        ]
    )


def _keys() -> str:
    """A lead's keys lie in the order of shared/suppression.py: address, domain, phone, profile."""
    old, place = "l.suppression_keys", "(case when l.email is null then 1 else 3 end)"
    last = f"cardinality({old})"
    return (
        f"case when l.email is null then r.email_keys else {old}[1:2] end"
        f" || case when r.phone is not null then r.phone_keys"
        f" when l.phone is not null then {old}[{place}:{place}] else '{{}}' end"
        f" || case when r.linkedin_url is not null then r.linkedin_keys"
        f" when l.linkedin_url is not null then {old}[{last}:{last}] else '{{}}' end"
    )


_CREATE = "create temp table import_rows ({}) on commit drop".format(
    ", ".join(
        [f"{name} {_TYPES.get(name, 'text')}" for name in COLUMNS]
        + [f"{name} {kind}" for name, kind in EXTRA.items()]
        + ["lead_id uuid"]
    )
)
_COPY = f"copy import_rows ({', '.join([*COLUMNS, *EXTRA])}) from stdin"
_SELECTED = f"""
insert into leads ({", ".join(COLUMNS)}, suppression_keys)
select {", ".join(f"coalesce({n}, {_EMPTY[n]})" if n in _EMPTY else n for n in COLUMNS)},
  email_keys || phone_keys || linkedin_keys
from import_rows r where r.batch = %(batch)s and r.kind = %(kind)s
"""  # noqa: S608 - made of our own names
_COUNTED = "select from import_rows where batch = %(batch)s and kind = %(kind)s"
_KEYS = {"p": "phone", "l": "linkedin_url", "e": "email"}
# The oldest of those who share a number or a profile.
_FIND = {
    kind: f"""
update import_rows r set lead_id = m.id from (
  select k.{column}, min(k.id::text)::uuid as id from leads k
  where k.{column} in (
    select {column} from import_rows where batch = %(batch)s and kind = %(kind)s)
  group by 1
) m where r.batch = %(batch)s and r.kind = %(kind)s and m.{column} = r.{column}
"""  # noqa: S608 - made of our own names
    for kind, column in _KEYS.items()
}
_UPDATE = f"""
update leads l set {_assignments()} from import_rows r
where r.batch = %(batch)s and r.kind = %(kind)s and l.id = r.lead_id
"""  # noqa: S608 - made of our own names
_ONLY_NEW = " and lead_id is null order by number"
_INSERT = {
    "p": _SELECTED + _ONLY_NEW,
    "l": _SELECTED + _ONLY_NEW,
    "e": _SELECTED + _ONLY_NEW + " on conflict (company_id, email) do nothing",
    "n": _SELECTED + " order by number",
}
_REFUSED = text("""
insert into refused_rows (job_id, number, reason, cells)
select :job_id, number, reason, array(select jsonb_array_elements_text(cells))
from jsonb_to_recordset(cast(:rows as jsonb)) as r (number int, reason text, cells jsonb)
""")
