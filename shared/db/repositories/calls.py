"""Writes of the table `calls`: a call when it was placed, and what was said when it is over."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.domain.branches import StepOutcome
from shared.domain.calls import CallReport, Utterance

# Of a recipient that is still there: a lead may be erased while it is called.
_PLACED = """
insert into calls (recipient_id, campaign_id, lead_id, action_id, step_id, account_id, provider_id,
  phone, placed_at)
select r.id, r.campaign_id, r.lead_id, :action_id, :step_id, :account_id, :provider_id, :phone,
  :placed_at
from recipients r where r.id = :recipient_id
on conflict (company_id, provider_id) do """
_STORE_PLACED = text(_PLACED + "nothing")
_MAKE_SURE = text(_PLACED + "update set placed_at = calls.placed_at returning id")
_STORE_REPORT = text("""
update calls set outcome = :outcome, status = :status, answered_by = :answered_by,
  disposition = :disposition, said_never_again = :said_never_again, summary = :summary,
  transcript = cast(:transcript as jsonb), recording_url = :recording_url, price = :price,
  duration_seconds = :duration_seconds, error = :error, started_at = :started_at,
  ended_at = :ended_at, collected_at = :collected_at
where id = :id
""")
_NOTE_LEAD = text("update leads set status = :status where id = :lead_id")
_UNDER_WAY = text("""
select count(*) from actions where account_id = :account_id and activity = 'bland.call'
  and (status = 'placed' or status = 'reserved' and draft_id is not null)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCall:
    """Which step a call belongs to, and where it was dialled."""

    recipient_id: UUID
    action_id: UUID
    step_id: UUID
    account_id: UUID | None
    provider_id: str
    phone: str | None
    placed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedCall:
    """What came of it."""

    report: CallReport
    outcome: StepOutcome
    says_never_again: bool
    collected_at: datetime


async def store_placed(connection: AsyncConnection, call: PlacedCall) -> None:
    await connection.execute(_STORE_PLACED, asdict(call))


async def store_ended(connection: AsyncConnection, call: PlacedCall, ended: EndedCall) -> None:
    """Keep what was said. Nothing is kept of a lead that was erased meanwhile."""
    call_id = await connection.scalar(_MAKE_SURE, asdict(call))
    if call_id is not None:
        await connection.execute(_STORE_REPORT, {"id": call_id, **_values(ended)})


async def note_lead_status(connection: AsyncConnection, lead_id: UUID, status: str) -> None:
    await connection.execute(_NOTE_LEAD, {"lead_id": lead_id, "status": status})


async def count_under_way(connection: AsyncConnection, account_id: UUID) -> int:
    """Calls of the account that are not over, those included that are just being placed."""
    return await connection.scalar(_UNDER_WAY, {"account_id": account_id}) or 0


def _values(ended: EndedCall) -> dict[str, Any]:
    report = ended.report
    return {
        "outcome": ended.outcome,
        "status": report.status,
        "answered_by": report.answered_by,
        "disposition": report.disposition,
        "said_never_again": ended.says_never_again,
        "summary": report.summary,
        "transcript": json.dumps([_said(it) for it in report.transcript]),
        "recording_url": report.recording_url,
        "price": report.price,
        "duration_seconds": report.duration_seconds,
        "error": report.error,
        "started_at": report.started_at,
        "ended_at": report.ended_at,
        "collected_at": ended.collected_at,
    }


def _said(utterance: Utterance) -> dict[str, Any]:
    at = utterance.said_at
    return {
        "speaker": utterance.speaker,
        "text": utterance.text,
        "said_at": at.isoformat() if at else None,
    }
