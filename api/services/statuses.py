"""A recipient's status in SQL: the same as `recipient_status` in the domain says."""

from sqlalchemy import ColumnElement, and_, case, or_

from shared.db.models import RecipientRow
from shared.domain.recipient import STATUS_OF_END, EndReason, RecipientStatus, recipient_status

# Acknowledged by Temporal, or already doing what it was started for.
IS_STARTED = or_(RecipientRow.launched_at.is_not(None), RecipientRow.last_action_at.is_not(None))
IS_LISTED = RecipientRow.end_reason.is_distinct_from(EndReason.REMOVED)


def status_of(row: RecipientRow) -> RecipientStatus:
    is_started = row.launched_at is not None or row.last_action_at is not None
    return recipient_status(ended=row.end_reason, is_started=is_started)


def has_status(status: RecipientStatus) -> ColumnElement[bool]:
    ends = [reason for reason, shown in STATUS_OF_END.items() if shown is status]
    has_ended = RecipientRow.end_reason.in_(ends)
    is_open = RecipientRow.end_reason.is_(None)
    match status:
        case RecipientStatus.PENDING:
            return or_(has_ended, and_(is_open, ~IS_STARTED))
        case RecipientStatus.IN_PROGRESS:
            return or_(has_ended, and_(is_open, IS_STARTED))
        case _:
            return has_ended


STATUS = case(*((has_status(status), status.value) for status in RecipientStatus))
