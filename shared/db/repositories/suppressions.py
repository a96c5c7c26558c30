"""Writes down that nothing may reach a lead any more, by whichever of its addresses."""

from collections.abc import Callable

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.domain.inbound import InboundKind

_STORE = text("""
insert into suppressions (key_hash, kind, value, reason, source)
values (:key_hash, :kind, :value, :reason, :source)
on conflict (company_id, key_hash) do nothing
""")
# A mail that comes back says nothing about the lead's other addresses; an order to stop does.
_KINDS = {"email": "email", "phone": "phone", "linkedin_url": "linkedin"}
_OF_BOUNCE = {"email": "email"}


async def suppress_lead(
    connection: AsyncConnection,
    key_of: Callable[[str, str], bytes],
    lead: Row[tuple[str | None, str | None, str | None]],
    *,
    reason: InboundKind,
    source: str,
) -> None:
    """`lead` has `email`, `phone` and `linkedin_url`, normalised as its row has them.

    `key_of`: the keyed hash of a kind and a value.
    """
    kinds = _OF_BOUNCE if reason is InboundKind.BOUNCE else _KINDS
    for column, kind in kinds.items():
        value = getattr(lead, column)
        if value:
            key_hash = key_of(kind, value)
            known = {"key_hash": key_hash, "kind": kind, "value": value}
            await connection.execute(_STORE, known | {"reason": reason, "source": source})
