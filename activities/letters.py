"""Writes the mail of one step for one lead."""

from typing import Any

from activities.results import Reserved
from shared.content import render
from shared.db.repositories.situations import Action
from shared.domain.recipient import Step
from shared.keyring import Keyring
from shared.providers.mime import Mail


def write_letter(reserved: Reserved, keyring: Keyring, *, earlier: Action | None) -> Mail:
    """Fill in the step's template. `earlier`: the mail whose thread it goes on in.

    Raises MissingVariable when the lead lacks a value that the template asks for.
    """
    situation, action = reserved.situation, reserved.action
    variables = _variables(reserved)
    content = situation.versions[situation.rest.version_id].contents[action.step_id]
    subject = render(content.subject or _first_subject(reserved) or "", variables)
    return Mail(
        key=keyring.mail_key(situation.recipient.id, action.step_id, action.round),
        sender=situation.rest.account_email,
        sender_name=situation.rest.account_name,
        to=situation.rest.lead_email,
        subject=f"Re: {subject}" if earlier else subject,
        text=render(content.message_template, variables),
        in_reply_to=earlier.message_id if earlier else None,
        references=_references(reserved) if earlier else (),
    )


def find_thread(reserved: Reserved) -> Action | None:
    """The last mail sent, when this step goes on in its thread: it has no subject of its own."""
    situation = reserved.situation
    content = situation.versions[situation.rest.version_id].contents[reserved.action.step_id]
    last = situation.last_sent
    if content.subject or last is None:
        return None
    return last if last.thread_id and last.account_id == reserved.action.account_id else None


def _references(reserved: Reserved) -> tuple[str, ...]:
    sent = [a for a in reserved.situation.actions.values() if a.settled_at and a.message_id]
    ordered = sorted(sent, key=lambda action: action.settled_at or action.attempted_at)
    return tuple(action.message_id for action in ordered if action.message_id)


def _first_subject(reserved: Reserved) -> str | None:
    """The subject that the thread was begun with."""
    version = reserved.situation.versions[reserved.situation.rest.version_id]
    steps: tuple[Step, ...] = version.steps[: reserved.step_position]
    subjects = (version.contents[step.id].subject for step in reversed(steps))
    return next((subject for subject in subjects if subject), None)


def _variables(reserved: Reserved) -> dict[str, dict[str, Any]]:
    rest = reserved.situation.rest
    lead = dict(rest.lead)
    lead["name"] = lead.get("name") or " ".join(
        filter(None, (lead.get("first_name"), lead.get("last_name")))
    )
    return {
        "lead": lead,
        "company": rest.company,
        "campaign": {"name": rest.campaign_name},
        "sender": {"name": rest.account_name or rest.account_email, "email": rest.account_email},
    }
