"""Which version of a row somebody has read: two people who change one do not overwrite each other.

A version covers what a PUT can change. What workers write between, such as when a mailbox was
read, is left out, or nobody could ever change it.
"""

import hashlib
import json
from datetime import UTC, datetime

from sqlalchemy import inspect

from api.errors import Outdated
from shared.db.base import Base

NOT_COVERED = {
    "accounts": {
        "history_id",
        "last_polled_at",
        "blocked_until",
        "block_reason",
        "failures",
        "failing_since",
    },
    "campaigns": {"updated_at"},
    "leads": {"suppression_keys"},
    # The text is new when the file is.
    "products": {"text"},
    "webhooks": {
        "failures",
        "failing_since",
        "resting_until",
        "last_attempt_at",
        "last_success_at",
        "secret",
        "old_secret",
        "old_secret_until",
    },
}


def version_of(row: Base) -> str:
    """The strong validator of RFC 9110, section 8.8.3, with its quotation marks."""
    left_out = NOT_COVERED.get(row.__tablename__, set())
    columns = sorted(inspect(type(row)).columns.keys())
    return tag_of([(name, _plain(getattr(row, name))) for name in columns if name not in left_out])


def tag_of(value: object) -> str:
    """Of anything that can be written as JSON."""
    text = json.dumps(value, default=str, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def must_match(row: Base, expected: str | None) -> None:
    """`expected`: an If-Match header. The row is locked. Raises Outdated."""
    must_match_tag(version_of(row), expected)


def must_match_tag(tag: str, expected: str | None) -> None:
    if expected is None:
        return
    wanted = {part.strip().removeprefix("W/") for part in expected.split(",")}
    if not wanted & {"*", tag}:
        raise Outdated(
            "Somebody has changed it since you read it: read it again, and send your change with"
            " the ETag of that answer as If-Match"
        )


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
