"""A call as Bland tells of it, in its answers and in the webhook after the call, in our words."""

import hmac
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from shared.contracts.inbound import InboundEvent
from shared.domain.calls import CallReport, Speaker, Utterance, ends_it, is_never_again
from shared.domain.inbound import InboundKind
from shared.providers.spoken_words import asks_for_no_calls

# Our mark, in the metadata of a call.
KEY = "drumbeat_key"
SIGNATURE_HEADER = "X-Webhook-Signature"
PROVIDER = "bland"
# The variables in which a pathway keeps a time that was agreed on, in ISO 8601.
MEETING_AT = ("meeting_at", "appointment_at", "meeting_time", "appointment_time")
MEETING_MINUTES = "meeting_minutes"

_OVER = frozenset({"complete", "completed"})
_BROKEN = frozenset({"pre_queue_error", "queue_error", "call_error", "complete_error"})
_MOST_UTTERANCES = 5_000
_LONGEST_TEXT = 20_000


def sign(secret: str, body: bytes) -> str:
    """The header X-Webhook-Signature: HMAC-SHA256 of the raw body, in hex."""
    return hmac.new(secret.encode(), body, sha256).hexdigest()


def is_signed(secret: str, body: bytes, signature: str | None) -> bool:
    given = (signature or "").strip().lower().encode(errors="replace")
    return hmac.compare_digest(sign(secret, body).encode(), given)


def read_webhook(body: bytes) -> CallReport | None:
    """What the webhook after a call says. None: it is about something else, or is no JSON.

    What is said during the call, citations and evaluations come to the same address.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    told.setdefault("call_id", told.get("c_id"))
    if not has_call_id(told) or told.get("event_type") or "completed" not in told:
        return None
    return read_report(told)


def inbound_events(
    report: CallReport,
    *,
    company_id: UUID,
    account_id: UUID,
    now: datetime,
    recipient_id: UUID | None = None,
) -> tuple[InboundEvent, ...]:
    """What a finished call is to the lead's campaigns, the same by webhook and by look-up.

    The end of a call only wakes its recipient. A no on the phone is an answer and ends it, as an
    order never to call again does. What stops comes first: nothing may go out in between.
    """
    if not report.is_over:
        return ()
    about = InboundEvent(
        company_id=company_id,
        account_id=account_id,
        provider=PROVIDER,
        provider_event_id=f"call/{report.call_id}/{report.status or report.queue_status}",
        kind=InboundKind.CALL_ENDED,
        occurred_at=report.ended_at or now,
        thread_id=report.key or report.call_id,
        recipient_id=recipient_id,
        is_kept_unmatched=False,
    )
    named = f"call/{report.call_id}"
    if says_never_again(report):
        kind, name = InboundKind.UNSUBSCRIBE, f"{named}/never-again"
    elif ends_it(report):
        kind, name = InboundKind.REPLY, f"{named}/no"
    else:
        return (about,)
    text = "\n".join(report.said)[:_LONGEST_TEXT] or report.summary
    return (replace(about, kind=kind, provider_event_id=name, text=text), about)


def says_never_again(report: CallReport) -> bool:
    """By the agent's verdict, or by the lead's own words."""
    return is_never_again(report) or asks_for_no_calls(report.said)


def has_call_id(told: Any) -> bool:
    return isinstance(told, dict) and isinstance(told.get("call_id"), str) and bool(told["call_id"])


def read_report(told: Mapping[str, Any]) -> CallReport:
    """Every field may be missing or of another kind than documented: then it says nothing."""
    queue_status = _word(told, "queue_status")
    metadata = told.get("metadata")
    key = metadata.get(KEY) if isinstance(metadata, dict) else None
    agreed = _agreed(told)
    return CallReport(
        call_id=str(told["call_id"]),
        is_over=told.get("completed") is True or queue_status in _OVER | _BROKEN,
        key=key if isinstance(key, str) else None,
        to=_word(told, "to"),
        status=_word(told, "status"),
        queue_status=queue_status,
        answered_by=_word(told, "answered_by"),
        disposition=_word(told, "disposition_tag"),
        ended_by=_word(told, "call_ended_by"),
        summary=_word(told, "summary"),
        transcript=_transcript(told.get("transcripts")),
        recording_url=_word(told, "recording_url"),
        price=_number(told.get("price")),
        duration_seconds=_seconds(told),
        error=_word(told, "error_message"),
        meeting_at=next((at for name in MEETING_AT if (at := _word(agreed, name))), None),
        meeting_minutes=_number(agreed.get(MEETING_MINUTES)),
        created_at=_instant(told.get("created_at")),
        started_at=_instant(told.get("started_at")),
        ended_at=_instant(told.get("end_at")),
    )


def _agreed(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the pathway has filled in, or what was read out of the conversation behind it."""
    found = (told.get(name) for name in ("citations", "analysis", "variables"))
    return {name: value for each in found if isinstance(each, dict) for name, value in each.items()}


def _seconds(told: Mapping[str, Any]) -> int | None:
    """`corrected_duration` counts seconds, in a text; `call_length` counts minutes."""
    seconds = _number(told.get("corrected_duration"))
    if seconds is None:
        minutes = _number(told.get("call_length"))
        seconds = None if minutes is None else minutes * 60
    return None if seconds is None or seconds < 0 else round(seconds)


def _transcript(parts: Any) -> tuple[Utterance, ...]:
    if not isinstance(parts, list):
        return ()
    read = (_utterance(part) for part in parts[:_MOST_UTTERANCES])
    return tuple(it for it in read if it)


def _utterance(part: Any) -> Utterance | None:
    if not isinstance(part, dict):
        return None
    text, speaker = _word(part, "text"), part.get("user")
    if not text or speaker not in set(Speaker):
        return None
    return Utterance(speaker=Speaker(speaker), text=text, said_at=_instant(part.get("created_at")))


def _word(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    if not isinstance(value, str):
        return None
    # Postgres keeps no zero bytes, and no halves of characters.
    plain = value.replace("\0", "").encode(errors="replace").decode().strip()
    return plain[:_LONGEST_TEXT] or None


def _number(value: Any) -> float | None:
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    return number if number is not None and math.isfinite(number) else None


def _instant(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
