"""Writes that may be asked for twice: who claims one does it, and the others get its answer."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.repeats import AnsweredBefore, GivenAnswer, InProgress, KeyedWrite
from shared.db.deed import Claim, current_deed
from shared.db.models import IdempotencyKeyRow as Row
from shared.db.session import Database
from shared.errors import Conflict, Invalid
from shared.keyring import Keyring

KEPT_FOR = timedelta(hours=24)
# A claim that has had no effect for so long is its dead gateway's, and may be taken over.
CLAIM_LASTS = timedelta(seconds=60)
RETRY_AFTER = timedelta(seconds=2)
PURGED_AT_ONCE = 50
ANSWER = "idempotency_keys.answer"
NO_COMPANY = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """`name`: `user:<id>`, `key:<id>`, or empty for anybody."""

    name: str = ""
    company_id: UUID | None = None


class IdempotencyService:
    def __init__(self, *, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def claim(self, claimant: Claimant, write: KeyedWrite) -> None:
        """Make this write the caller's to do.

        Raises AnsweredBefore with the first answer; InProgress while the first one is at work;
        Invalid when the key was used with another body; Conflict when it was carried out, and its
        answer holds a secret or was lost.
        """
        now = datetime.now(UTC)
        scope = f"{claimant.name} {claimant.company_id} {write.method} {write.path} {write.key}"
        row = Row(
            id=uuid7(),
            scope_hash=self._keyring.token_hash(scope),
            fingerprint=write.fingerprint,
            company_id=claimant.company_id,
            claimed_at=now,
            expires_at=now + KEPT_FOR,
        )
        async with self._database.outside_session() as session:
            claimed = await _try_to_claim(session, row)
            first = None if claimed else await _find(session, row.scope_hash)
        if claimed is None:
            raise self._refusal(first, row)
        current_deed().claim = claimed

    async def keep(self, answer: GivenAnswer, *, is_secret: bool) -> None:
        """Keep what the claimed write has answered; a refusal without any effect is forgotten."""
        claim, current_deed().claim = current_deed().claim, None
        if claim is None:
            return
        async with self._database.outside_session() as session:
            row = await session.scalar(_claimed(claim).with_for_update())
            if row is None:
                return
            if row.effect_at is None and answer.status >= 400:
                await session.delete(row)
                return
            row.answered_at = datetime.now(UTC)
            if not is_secret and answer.is_small:
                row.answer = self._keyring.seal(
                    answer.to_json(), place=ANSWER, company_id=_place(row), row_id=row.id
                )
            await _purge(session)

    async def give_up(self) -> None:
        """The write has failed. What had an effect is not done again."""
        claim, current_deed().claim = current_deed().claim, None
        if claim is not None:
            async with self._database.outside_session() as session:
                harmless = and_(Row.id == claim.id, Row.effect_at.is_(None))
                await session.execute(delete(Row).where(harmless))

    def _refusal(self, first: Row | None, asked: Row) -> Exception:
        if first is None:
            # It was given up between our two statements.
            return InProgress(retry_after=timedelta(seconds=1))
        if first.fingerprint != asked.fingerprint:
            return Invalid(
                "This key came with another body already: use a new key for a new write",
                field="Idempotency-Key",
            )
        if first.answer is not None:
            sealed = self._keyring.open(
                first.answer, place=ANSWER, company_id=_place(first), row_id=first.id
            )
            return AnsweredBefore(GivenAnswer.from_json(sealed))
        left = first.claimed_at + CLAIM_LASTS - asked.claimed_at
        if first.answered_at is None and left > timedelta(0):
            return InProgress(retry_after=min(left, RETRY_AFTER))
        return Conflict(
            "This write was carried out already, and its answer cannot be shown again because it"
            " held a secret, was very large or was lost: look at what it has made"
        )


_NEW = ("id", "scope_hash", "fingerprint", "company_id", "claimed_at", "expires_at")


async def _try_to_claim(session: AsyncSession, row: Row) -> Claim | None:
    values = {name: getattr(row, name) for name in _NEW}
    abandoned = and_(
        Row.effect_at.is_(None),
        Row.answered_at.is_(None),
        Row.claimed_at < row.claimed_at - CLAIM_LASTS,
        Row.fingerprint == row.fingerprint,
    )
    fresh = {"effect_at": None, "answered_at": None, "answer": None}
    claimed = await session.execute(
        insert(Row)
        .values(values)
        .on_conflict_do_update(
            index_elements=[Row.scope_hash],
            set_=values | fresh,
            where=or_(Row.expires_at < row.claimed_at, abandoned),
        )
        .returning(Row.id, Row.claimed_at)
    )
    found = claimed.one_or_none()
    return Claim(id=found.id, claimed_at=found.claimed_at) if found else None


async def _find(session: AsyncSession, scope_hash: str) -> Row | None:
    return await session.scalar(select(Row).where(Row.scope_hash == scope_hash))


def _claimed(claim: Claim) -> Select[Row]:
    return select(Row).where(Row.id == claim.id, Row.claimed_at == claim.claimed_at)


def _place(row: Row) -> UUID:
    return row.company_id or NO_COMPANY


async def _purge(session: AsyncSession) -> None:
    """A few that are too old; every new one takes some with it."""
    old = select(Row.id).where(Row.expires_at < datetime.now(UTC)).order_by(Row.expires_at)
    old = old.limit(PURGED_AT_ONCE).with_for_update(skip_locked=True)
    await session.execute(delete(Row).where(Row.id.in_(old.scalar_subquery())))
