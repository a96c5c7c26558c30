"""Writes the mail of one step for one lead."""

from activities.results import Reserved
from shared.db.models.recipients import ActionStatus
from shared.db.repositories.situations import Action
from shared.domain.recipient import Step
from shared.keyring import Keyring
from shared.letters import Letter, Thread, write_mail
from shared.providers.mime import Mail
from shared.templating.variables import facts_of
from shared.tracking import Tracking
from shared.unsubscribing import make_unsubscribe_token, unsubscribe_url


class LetterWriter:
    """`public_url`: where the pages are that a mail's links lead to."""

    def __init__(self, *, keyring: Keyring, public_url: str) -> None:
        self._keyring = keyring
        self._public_url = public_url

    def write(self, reserved: Reserved, *, earlier: Action | None) -> Mail:
        """Fill in the step's template. `earlier`: the mail whose thread it goes on in.

        Raises MissingVariable when the lead lacks a value that the template asks for.
        """
        situation, action = reserved.situation, reserved.action
        rest, recipient = situation.rest, situation.recipient
        content = situation.versions[rest.version_id].contents[action.step_id]
        token = make_unsubscribe_token(
            self._keyring,
            company_id=recipient.company_id,
            recipient_id=recipient.id,
            email=rest.lead_email,
        )
        return write_mail(
            Letter(
                key=self._keyring.mail_key(recipient.id, action.step_id, action.round),
                to=rest.lead_email,
                subject=content.subject or _first_subject(reserved) or "",
                body=content.message_template,
                facts=facts_of(rest),
                unsubscribe_url=unsubscribe_url(self._public_url, token),
                thread=_thread(reserved, earlier) if earlier else None,
                tracking=self._tracking(reserved),
            )
        )

    def _tracking(self, reserved: Reserved) -> Tracking:
        """What the campaign asks for: nothing, unless somebody has switched it on."""
        situation = reserved.situation
        return Tracking(
            keyring=self._keyring,
            public_url=self._public_url,
            company_id=situation.recipient.company_id,
            recipient_id=situation.recipient.id,
            step_id=reserved.action.step_id,
            has_opens=bool(situation.rest.track_opens),
            has_clicks=bool(situation.rest.track_clicks),
        )


def find_thread(reserved: Reserved) -> Action | None:
    """The last mail sent, when this step goes on in its thread: it has no subject of its own."""
    situation = reserved.situation
    content = situation.versions[situation.rest.version_id].contents[reserved.action.step_id]
    last = situation.last_mail
    if content.subject or last is None:
        return None
    return last if last.thread_id and last.account_id == reserved.action.account_id else None


def _thread(reserved: Reserved, earlier: Action) -> Thread:
    sent = [a for a in reserved.situation.actions.values() if a.settled_at and a.message_id]
    ordered = sorted(sent, key=lambda action: action.settled_at or action.attempted_at)
    references = tuple(action.message_id for action in ordered if action.message_id)
    return Thread(message_id=earlier.message_id, references=references)


def _first_subject(reserved: Reserved) -> str | None:
    """The subject that the thread was begun with; of mails that were sent, if there are any."""
    situation = reserved.situation
    version = situation.versions[situation.rest.version_id]
    steps: tuple[Step, ...] = version.steps[: reserved.step_position]
    done = {a.step_id for a in situation.actions.values() if a.status is ActionStatus.SENT}
    # On another way the lead has never seen a mail, so that its subject comes last.
    ordered = sorted(steps, key=lambda step: (step.id not in done, -step.position))
    subjects = (version.contents[step.id].subject for step in ordered)
    return next((subject for subject in subjects if subject), None)
