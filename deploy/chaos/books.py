"""Reads what the audit wants to know from the rows, and from the providers' own books."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import select, text

from deploy.chaos.audit import Books, Entry, Letter
from deploy.chaos.faults import REPORTS, Fault
from deploy.chaos.plans import Plan
from deploy.chaos.world import Person, World
from deploy.sandbox.faulty_mailbox import StoredMail
from shared.db.models import ActionRow, RecipientRow, TodoRow, TodoStatus
from shared.domain.channels import Channel
from shared.domain.recipient import ActivityName

_NUMBER = re.compile(r"this is step number \[(\d+)\]")
_OWED = text(
    "select (step ->> 'position')::int from versions v join campaigns c on c.version_id = v.id,"
    " json_array_elements(to_json(v.steps)) step where c.id = :campaign_id"
)


CHANNELS: Mapping[str, Channel] = {
    ActivityName.LINKEDIN_INVITE: Channel.LINKEDIN_CONNECTION,
    ActivityName.LINKEDIN_MESSAGE: Channel.LINKEDIN_MESSAGE,
    ActivityName.BLAND_CALL: Channel.CALL,
    ActivityName.BLAND_COLLECT: Channel.CALL,
    ActivityName.TASK_OPEN: Channel.TASK,
}
DONE_BY_HAND = frozenset({TodoStatus.OPEN, TodoStatus.DONE})


class Lived(Protocol):
    """A run that is over: what befell whom, and when stops were stored.

    `unsure`: steps of which nobody knew whether they were done; `asked`: those of them that a
    person was asked about. `blinded`: which faults struck behind a point of no return.
    """

    @property
    def plan(self) -> Plan: ...
    @property
    def person(self) -> Person: ...
    @property
    def known(self) -> Sequence[datetime]: ...
    @property
    def story(self) -> Sequence[str]: ...
    @property
    def unsure(self) -> Set[int]: ...
    @property
    def asked(self) -> Set[int]: ...
    @property
    def blinded(self) -> Set[int]: ...


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
                status=action.status,
                draft_id=action.draft_id,
                confirmed_at=action.confirmed_at,
                channel=CHANNELS.get(str(action.activity), Channel.EMAIL),
            )
            for action in actions
        }
        owed = await session.scalars(_OWED, {"campaign_id": person.recipient.campaign_id})
        steps = frozenset(owed)
        asked = TodoRow.recipient_id == person.recipient.recipient_id
        todos = (await session.scalars(select(TodoRow).where(asked))).all()
    happened = {i.fault for i in life.plan.injections if i.has_happened}
    drafts = world.drafts_for(person)
    return Books(
        sent=(
            *_letters((mail, None) for mail in world.letters_to(person)),
            *_at_linkedin(world, person),
            *_calls(world, person),
            *(_done_by_hand(todo, numbers) for todo in todos if todo.status in DONE_BY_HAND),
        ),
        drafts=tuple(_letters((mail, id_) for id_, mail in drafts)),
        entries=entries,
        owed=steps,
        end_reason=row.end_reason if row else None,
        ended_at=row.ended_at if row else None,
        hold_reason=row.hold_reason if row else None,
        known=tuple(life.known),
        is_erased=row is None,
        asked=frozenset(life.asked),
        taken=frozenset(life.unsure - life.asked),
        excuses=_excuses(life),
        open_todos=sum(todo.status is TodoStatus.OPEN for todo in todos),
        is_refused=Fault.REFUSED_FOR_GOOD in happened,
        is_stopped_by_reply=bool(happened & (REPORTS | {Fault.REPLIED_IN_MAILBOX})),
    )


def numbers_of(mails: Iterable[StoredMail]) -> set[int | None]:
    """The steps that these mails are of, by their text."""
    return {_number_of(mail) for mail in mails}


def _excuses(life: Lived) -> int:
    """How many mails nobody can know of: one for each fault behind the point of no return.

    At Gmail there is none, but for each time that a person deletes the draft.
    """
    deleted = (i.fault is Fault.DRAFT_DELETED for i in life.plan.injections if i.has_happened)
    return len(life.blinded) + sum(deleted)


def _letters(mails: Iterable[tuple[StoredMail, str | None]]) -> Iterable[Letter]:
    for mail, draft_id in mails:
        yield Letter(key=mail.key, number=_number_of(mail), draft_id=draft_id)


def _at_linkedin(world: World, person: Person) -> Iterable[Letter]:
    linkedin = world.providers.unipile.world
    for invitation in linkedin.invited:
        if invitation.to == person.public_id:
            yield _letter(Channel.LINKEDIN_CONNECTION, invitation.note)
    for message in linkedin.written:
        if linkedin.chats[message.chat_id].with_ == person.public_id:
            yield _letter(Channel.LINKEDIN_MESSAGE, message.text)


def _calls(world: World, person: Person) -> Iterable[Letter]:
    for call in world.providers.bland.placed:
        if call.to == person.phone:
            number = _number_in(str(call.order.get("task")))
            yield Letter(channel=Channel.CALL, key=call.key, number=number)


def _done_by_hand(todo: TodoRow, numbers: Mapping[UUID, int]) -> Letter:
    assert todo.step_id  # noqa: S101 - only steps make to-dos here
    number = numbers[todo.step_id]
    return Letter(channel=Channel.TASK, key=str(number), number=number)


def _letter(channel: Channel, text: str) -> Letter:
    number = _number_in(text)
    return Letter(channel=channel, key=f"{number}", number=number)


def _number_of(mail: StoredMail) -> int | None:
    body = mail.headers.get_body(("plain",))
    return _number_in(body.get_content() if body else "")


def _number_in(text: str) -> int | None:
    found = _NUMBER.search(text)
    return int(found.group(1)) if found else None
