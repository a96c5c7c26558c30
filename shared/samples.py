"""A step's letter to a lead before it is due, the same that the lead will get."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.db.models import StepRow
from shared.db.repositories.letter_sources import LetterSource
from shared.keyring import Keyring
from shared.letters import Letter, Thread
from shared.templating.variables import facts_of
from shared.tracking import Tracking
from shared.unsubscribing import make_unsubscribe_token, unsubscribe_url


def sample_letter(
    source: LetterSource,
    steps: Sequence[StepRow],
    step: StepRow,
    *,
    keyring: Keyring,
    public_url: str,
    message_ids: Mapping[UUID, str] | None = None,
) -> Letter:
    """`steps`: all of the campaign's, in order. `message_ids`: of actions that have none yet."""
    row = source.row
    token = make_unsubscribe_token(
        keyring,
        company_id=row.company_id,
        recipient_id=source.recipient_id,
        email=row.lead_email or "",
    )
    return Letter(
        key=keyring.mail_key(source.recipient_id, step.id, source.round_of(step.id)),
        to=row.lead_email or "",
        subject=_subject(steps, step),
        body=step.message_template,
        facts=facts_of(row),
        unsubscribe_url=unsubscribe_url(public_url, token),
        thread=_thread(source, step, message_ids or {}),
        tracking=Tracking(
            keyring=keyring,
            public_url=public_url,
            company_id=row.company_id,
            recipient_id=source.recipient_id,
            step_id=step.id,
            has_opens=bool(row.track_opens),
            has_clicks=bool(row.track_clicks),
        ),
    )


def _subject(steps: Sequence[StepRow], step: StepRow) -> str:
    """Its own, else that of the mail before it which everybody has had who comes here."""
    before = [
        one.subject
        for one in steps
        if one.position <= step.position and all(guard in step.guards for guard in one.guards)
    ]
    return next((subject for subject in reversed(before) if subject), "")


def _thread(source: LetterSource, step: StepRow, message_ids: Mapping[UUID, str]) -> Thread | None:
    earlier = source.find_thread(step)
    if earlier is None:
        # Nothing was sent yet: it will go on with what comes before it.
        return Thread() if not step.subject and step.position > 1 and not source.done else None
    known = [(one, one.message_id or message_ids.get(one.id)) for one in source.done]
    references = tuple(message_id for one, message_id in known if one.settled_at and message_id)
    return Thread(
        message_id=earlier.message_id or message_ids.get(earlier.id), references=references
    )
