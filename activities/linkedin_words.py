"""What a step says to a member of LinkedIn: plain words, without a footer."""

from collections.abc import Iterator

from activities.results import Reserved
from shared.content import Values, fill_in, read_template
from shared.db.repositories.versions import Content
from shared.keyring import Keyring
from shared.providers.html_mail import as_text
from shared.templating.variables import facts_of, values_of
from shared.unsubscribing import make_unsubscribe_token, unsubscribe_url


class LinkedInWriter:
    """`public_url`: where the page is on which a lead unsubscribes, if a template asks for it."""

    def __init__(self, *, keyring: Keyring, public_url: str) -> None:
        self._keyring = keyring
        self._public_url = public_url

    def write(self, reserved: Reserved) -> str:
        """Raises MissingVariable when the lead lacks a value that the template asks for."""
        return _filled(content_of(reserved), self._values(reserved))

    def subject(self, reserved: Reserved) -> str:
        """Of an InMail; empty without one. Raises MissingVariable."""
        subject = content_of(reserved).subject
        if not subject:
            return ""
        return fill_in(
            read_template(subject, field="subject", is_line=True), self._values(reserved)
        )

    def candidates(self, reserved: Reserved) -> list[str]:
        """What an earlier attempt may have written: an edit may have come between."""
        values = self._values(reserved)
        return [_filled(content, values) for content in _contents(reserved)]

    def _values(self, reserved: Reserved) -> Values:
        recipient, rest = reserved.situation.recipient, reserved.situation.rest
        if not rest.lead_email:
            return values_of(facts_of(rest))
        token = make_unsubscribe_token(
            self._keyring,
            company_id=recipient.company_id,
            recipient_id=recipient.id,
            email=rest.lead_email,
        )
        return values_of(facts_of(rest), unsubscribe_url=unsubscribe_url(self._public_url, token))


def content_of(reserved: Reserved) -> Content:
    """In the current version, else in that which the action was begun in."""
    return next(_contents(reserved))


def _contents(reserved: Reserved) -> Iterator[Content]:
    situation, action = reserved.situation, reserved.action
    for version_id in dict.fromkeys((situation.rest.version_id, action.version_id)):
        version = situation.versions.get(version_id)
        if version and action.step_id in version.contents:
            yield version.contents[action.step_id]


def _filled(content: Content, values: Values) -> str:
    template = read_template(content.message_template, field="message_template")
    text = fill_in(template, values)
    return (as_text(text) if template.is_html else text).strip()
