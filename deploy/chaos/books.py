"""Reads what the audit wants to know from the rows and the mailbox."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import select, text

from deploy.chaos.audit import Books, Entry, Letter
from deploy.chaos.faults import REPORTS, Fault, Plan
from deploy.chaos.world import Person, World
from deploy.sandbox.faulty_mailbox import StoredMail
from shared.db.models import ActionRow, RecipientRow

_NUMBER = re.compile(r"this is mail number \[(\d+)\]")
_OWED = text(
    "select (step ->> 'position')::int from versions v join campaigns c on c.version_id = v.id,"
    " json_array_elements(to_json(v.steps)) step where c.id = :campaign_id"
)


class Lived(Protocol):
    """A run that is over: what befell whom, and when stops were stored."""

    @property
    def plan(self) -> Plan: ...
    @property
    def person(self) -> Person: ...
    @property
    def known(self) -> Sequence[datetime]: ...
    @property
    def story(self) -> Sequence[str]: ...


async def read_books(world: World, life: Lived) -> Books:
    """Every account of one run."""
    person, numbers = life.person, life.person.numbers
    async with world.database.company_session(world.company_id) as session:
        row = await session.get(RecipientRow, person.recipient.recipient_id)
        actions = await session.scalars(
            select(ActionRow).where(ActionRow.recipient_id == person.recipient.recipient_id)
        )
        entries = {
            numbers[action.step_id]: Entry(
                status=action.status, draft_id=action.draft_id, confirmed_at=action.confirmed_at
            )
            for action in actions
        }
        owed = await session.scalars(_OWED, {"campaign_id": person.recipient.campaign_id})
        steps = frozenset(owed)
    happened = {i.fault for i in life.plan.injections if i.has_happened}
    drafts = world.gmail.drafts.items()
    return Books(
        sent=tuple(_letters((mail, None) for mail in world.gmail.sent if _is_to(mail, life))),
        drafts=tuple(_letters((mail, id_) for id_, mail in drafts if _is_to(mail, life))),
        entries=entries,
        owed=steps,
        end_reason=row.end_reason if row else None,
        ended_at=row.ended_at if row else None,
        hold_reason=row.hold_reason if row else None,
        known=tuple(life.known),
        is_erased=row is None,
        is_draft_lost=Fault.DRAFT_DELETED in happened,
        is_stopped_by_reply=bool(happened & (REPORTS | {Fault.REPLIED_IN_MAILBOX})),
    )


def _is_to(mail: StoredMail, life: Lived) -> bool:
    return bool(mail.headers["To"] == life.person.address)


def _letters(mails: Iterable[tuple[StoredMail, str | None]]) -> Iterable[Letter]:
    for mail, draft_id in mails:
        body = mail.headers.get_body(("plain",))
        found = _NUMBER.search(body.get_content() if body else "")
        number = int(found.group(1)) if found else None
        yield Letter(key=mail.key, number=number, draft_id=draft_id)
