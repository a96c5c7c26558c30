"""A job of somebody else's: reads a Gmail mailbox and reports replies to Drumbeat.

Stands alone: Python 3.11 and httpx, nothing of Drumbeat. Run it as often as you like, also twice at
once: it remembers what it has reported, and Drumbeat knows an event that it has seen before.

    GMAIL_ACCESS_TOKEN=... DRUMBEAT_URL=https://... DRUMBEAT_API_KEY=... python poll_gmail.py

GMAIL_ENDPOINT   where Gmail answers, https://gmail.googleapis.com if not set
POLL_STATE       file with the ids reported so far, poll_gmail.json if not set
POLL_DAYS        how far back the first run looks, 2 if not set
"""

import json
import os
import sys
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import httpx

REMEMBERED = 20_000  # ids are short; older ones are outside the window that is searched


def main() -> int:
    """Report what is new; the exit code is 1 when something has to be tried again."""
    state = Path(os.environ.get("POLL_STATE", "poll_gmail.json"))
    reported = load(state)
    failures = 0
    with gmail() as mailbox, drumbeat() as gateway:
        for message_id in received_ids(mailbox, known=set(reported)):
            event = to_event(read(mailbox, message_id))
            answer = gateway.post("/api/inbound", json=event) if event else None
            if answer is None or answer.is_success:
                reported.append(message_id)
                # Kept after every single one, so that an interruption repeats at most one report.
                save(state, reported)
            else:
                failures += 1
                print(f"{message_id}: {answer.status_code} {answer.text[:300]}", file=sys.stderr)  # noqa: T201 - a script's voice
    return 1 if failures else 0


def gmail() -> httpx.Client:
    token = os.environ["GMAIL_ACCESS_TOKEN"]
    endpoint = os.environ.get("GMAIL_ENDPOINT", "https://gmail.googleapis.com")
    return httpx.Client(
        base_url=f"{endpoint}/gmail/v1/users/me",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )


def drumbeat() -> httpx.Client:
    """The key needs the scope `inbound` and nothing else."""
    headers = {"X-Api-Key": os.environ["DRUMBEAT_API_KEY"]}
    return httpx.Client(base_url=os.environ["DRUMBEAT_URL"], headers=headers, timeout=30)


def received_ids(mailbox: httpx.Client, *, known: set[str]) -> Iterator[str]:
    """Ids of received mails that were not reported yet, the newest first."""
    days = int(os.environ.get("POLL_DAYS", "2"))
    since = int(datetime.now(UTC).timestamp()) - days * 86_400
    query: dict[str, Any] = {"q": f"in:inbox after:{since}", "maxResults": 100}
    while True:
        page = ask(mailbox, "/messages", query)
        yield from (m["id"] for m in page.get("messages", []) if m["id"] not in known)
        if not page.get("nextPageToken"):
            return
        query["pageToken"] = page["nextPageToken"]


def read(mailbox: httpx.Client, message_id: str) -> tuple[dict[str, Any], EmailMessage]:
    """The mail as Gmail describes it, and as it was sent: only that has every header."""
    found = ask(mailbox, f"/messages/{message_id}", {"format": "raw"})
    padded = found["raw"] + "=" * (-len(found["raw"]) % 4)
    return found, message_from_bytes(urlsafe_b64decode(padded), policy=default)


def to_event(message: tuple[dict[str, Any], EmailMessage]) -> dict[str, Any] | None:
    """What Drumbeat should know of this mail; None when nobody wrote it in answer to another."""
    found, mail = message
    kind = kind_of(mail)
    if kind is None:
        return None
    body = mail.get_body(("plain",))
    received_at = datetime.fromtimestamp(int(found["internalDate"]) / 1000, UTC)
    return {
        "provider": "gmail",
        "provider_event_id": found["id"],
        "kind": kind,
        "thread_id": found["threadId"],
        "in_reply_to": str(mail["In-Reply-To"]).strip(),
        "address": parseaddr(str(mail["From"]))[1].lower(),
        "text": "" if body is None else str(body.get_content()),
        "occurred_at": received_at.isoformat(),
    }


def kind_of(mail: EmailMessage) -> str | None:
    """Replies of people, and answers that a program gave for them (RFC 3834).

    Delivery reports are left to Drumbeat's own reading of the mailbox.
    """
    if "In-Reply-To" not in mail or mail.get_content_type() == "multipart/report":
        return None
    is_automatic = str(mail.get("Auto-Submitted", "no")).strip().lower() != "no"
    return "auto_reply" if is_automatic else "reply"


def ask(mailbox: httpx.Client, path: str, query: dict[str, Any]) -> dict[str, Any]:
    answer = mailbox.get(path, params=query)
    answer.raise_for_status()
    return dict(answer.json())


def load(state: Path) -> list[str]:
    return list(json.loads(state.read_text())) if state.exists() else []


def save(state: Path, reported: list[str]) -> None:
    """Replaced in one go: a reader never finds half a file."""
    fresh = state.with_name(f"{state.name}.{os.getpid()}")
    fresh.write_text(json.dumps(reported[-REMEMBERED:]))
    fresh.replace(state)


if __name__ == "__main__":
    sys.exit(main())
