"""Who must never be contacted: listed, added, removed, taken in and given out as files."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select

from api.callers import Caller
from api.conducting import Conducting
from api.services.suppressing import Forbidden, Suppressed, suppress
from api.services.suppression_files import COLUMNS, RefusedRow, line, read_suppressions
from api.services.suppression_values import normal_value
from shared.db.models import SuppressionRow
from shared.db.session import Database
from shared.domain.recipient import EndReason
from shared.errors import Invalid, NotFound
from shared.importing.addresses import NoAddress
from shared.keyring import Keyring
from shared.suppression import SuppressionKind, SuppressionReason

WRITTEN_AT_ONCE = 2_000
REFUSED_SHOWN = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`value`: of an address as it was added, found also where only its hash is kept."""

    limit: int
    after: UUID | None = None
    kind: SuppressionKind | None = None
    reason: SuppressionReason | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    row: SuppressionRow
    is_new: bool
    ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """`already`: entries that were there, or twice in the file."""

    added: int
    already: int
    ended: int
    refused_count: int
    refused: Sequence[RefusedRow]


class SuppressionService:
    def __init__(self, *, database: Database, keyring: Keyring, conducting: Conducting) -> None:
        self._database = database
        self._keyring = keyring
        self._conducting = conducting

    async def list(self, caller: Caller, asked: Asked) -> Sequence[SuppressionRow]:
        """One more than asked for, newest first. Raises Invalid."""
        query = select(SuppressionRow).order_by(SuppressionRow.id.desc()).limit(asked.limit + 1)
        if asked.after:
            query = query.where(SuppressionRow.id < asked.after)
        if asked.kind:
            query = query.where(SuppressionRow.kind == asked.kind)
        if asked.reason:
            query = query.where(SuppressionRow.reason == asked.reason)
        if asked.value is not None:
            query = query.where(SuppressionRow.key_hash.in_(self._possible_keys(asked.value)))
        async with self._database.company_session(caller.company_id) as session:
            return (await session.scalars(query)).all()

    async def add(
        self,
        caller: Caller,
        kind: SuppressionKind,
        value: str,
        *,
        reason: SuppressionReason,
        is_value_kept: bool,
    ) -> Added:
        """Whoever waits to be reached there is ended. Raises Invalid."""
        try:
            normal = normal_value(kind, value)
        except NoAddress as error:
            raise Invalid(str(error), field="value") from None
        key_hash = self._keyring.suppression_key(kind, normal)
        forbidden = Forbidden(
            kind=kind, key_hash=key_hash, value=normal, reason=reason, is_value_kept=is_value_kept
        )
        async with self._database.company_session(caller.company_id) as session:
            done = await suppress(session, caller.company_id, [forbidden], source="person")
            found = select(SuppressionRow).where(SuppressionRow.key_hash == key_hash)
            row = (await session.scalars(found)).one()
        await self._tell(done)
        return Added(row=row, is_new=done.added > 0, ended=done.ended)

    async def remove(self, caller: Caller, suppression_id: UUID) -> None:
        """Who was ended by it stays so. Raises NotFound."""
        async with self._database.company_session(caller.company_id) as session:
            gone = delete(SuppressionRow).where(SuppressionRow.id == suppression_id)
            removed = await session.scalar(gone.returning(SuppressionRow.id))
        if removed is None:
            raise NotFound(f"Suppression {suppression_id} is not there")

    async def take_in(self, caller: Caller, content: bytes) -> TakenIn:
        """All good rows of a file in one transaction. Raises Invalid."""
        # Seconds of work for a large file, during which the gateway answers others.
        forbidden, refused = await asyncio.to_thread(self._read, content)
        async with self._database.company_session(caller.company_id) as session:
            done = await suppress(session, caller.company_id, forbidden, source="import")
        await self._tell(done)
        return TakenIn(
            added=done.added,
            already=len(forbidden) - done.added,
            ended=done.ended,
            refused_count=len(refused),
            refused=refused[:REFUSED_SHOWN],
        )

    def _read(self, content: bytes) -> tuple[Sequence[Forbidden], Sequence[RefusedRow]]:
        wanted, refused = read_suppressions(content)
        forbidden = [
            Forbidden(
                kind=it.kind,
                key_hash=self._keyring.suppression_key(it.kind, it.value),
                value=it.value,
                reason=it.reason,
            )
            for it in wanted
        ]
        return forbidden, refused

    async def export(self, caller: Caller) -> AsyncIterator[str]:
        """CSV, newest first. Of whoever was erased only that it happened can be said."""
        # Spreadsheets take a file without this mark for one in the country's old encoding.
        yield "\ufeff" + line(COLUMNS)
        after = None
        while True:
            page = await self.list(caller, Asked(limit=WRITTEN_AT_ONCE, after=after))
            rows = page[:WRITTEN_AT_ONCE]
            yield "".join(_line(row) for row in rows)
            if len(page) <= WRITTEN_AT_ONCE:
                return
            after = rows[-1].id

    async def _tell(self, done: Suppressed) -> None:
        await self._conducting.stop(done.stops, EndReason.SUPPRESSED)

    def _possible_keys(self, value: str) -> Sequence[bytes]:
        keys = []
        for kind in SuppressionKind:
            try:
                keys.append(self._keyring.suppression_key(kind, normal_value(kind, value)))
            except NoAddress:
                continue
        if not keys:
            raise Invalid(
                "Use an address, a domain, a phone number or a profile's address", field="value"
            )
        return keys


def _line(row: SuppressionRow) -> str:
    return line([row.kind, row.value or "", row.reason, row.source, row.created_at.isoformat()])
