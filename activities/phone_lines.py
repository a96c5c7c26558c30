"""The lines that calls are placed on, and what a step asks of the agent that speaks there."""

from collections.abc import Mapping
from typing import Any

import httpx

from activities.linkedin_words import content_of
from activities.results import Reserved
from shared.bland_logins import read_bland_login
from shared.calls import webhook_url
from shared.content import Values, fill_in, read_template
from shared.db.repositories.versions import Content
from shared.db.session import Database
from shared.errors import Invalid, Misdefined
from shared.keyring import Keyring
from shared.providers.bland import BlandClient, CallOrder
from shared.templating.variables import facts_of, values_of
from shared.tokens import AccountRef

# What is handed on as it is, under the names that Bland has for it.
_PLAIN = {
    **{
        name: name
        for name in (
            *("voice", "language", "model", "pathway_id", "pathway_version", "wait_for_greeting"),
            *("interruption_threshold", "background_track", "noise_cancellation", "record"),
            *("summary_prompt", "keywords", "temperature", "max_duration"),
        )
    },
    "from_number": "from",
}
# Minutes; Bland's own is 30, which no cold call needs.
MAX_DURATION = 10
# What a pathway may use of the lead, as {{name}}.
_LEAD_FIELDS = ("first_name", "last_name", "name", "title", "company_name", "city", "email")
_END_AT_ONCE = [{"type": "end_call"}]
# Both on, unless a person has switched them off: many laws ask for them.
_DISCLOSURE = {"type": "tcpa:ai_disclosure", "actions": _END_AT_ONCE, "config": {"end_seconds": 30}}
_OPT_OUT = {"type": "tcpa:opt_out", "actions": _END_AT_ONCE}


class PhoneLines:
    """`public_url`: where Bland tells of a call that is over, if it can reach it."""

    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        http: httpx.AsyncClient,
        endpoint: str,
        public_url: str,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._http = http
        self._endpoint = endpoint
        self._public_url = public_url

    async def open(self, account: AccountRef) -> BlandClient:
        """Raises AuthExpired when the account is not connected."""
        login = await read_bland_login(
            self._database,
            self._keyring,
            company_id=account.company_id,
            account_id=account.account_id,
            user_id=account.user_id,
        )
        return BlandClient(self._http, endpoint=self._endpoint, api_key=login.api_key)

    def key_of(self, reserved: Reserved) -> str:
        """What the call is marked with: of the recipient, the step and the round, keyed."""
        action, recipient = reserved.action, reserved.situation.recipient
        return self._keyring.mail_key(recipient.id, action.step_id, action.round)

    def write(self, reserved: Reserved, *, phone: str) -> CallOrder:
        """What the agent is told. Raises MissingVariable when a template lacks a value, Misdefined
        when it cannot be read."""
        rest = reserved.situation.rest
        values = values_of(facts_of(rest))
        try:
            details = details_of(content_of(reserved), values=values, zone=rest.lead_zone)
        except Invalid as error:
            raise Misdefined(str(error)) from None
        return CallOrder(
            to=phone,
            key=self.key_of(reserved),
            webhook=self._webhook(reserved.account),
            details=details,
        )

    def is_told(self, reserved: Reserved) -> bool:
        """Whether Bland tells us when the call is over."""
        return self._webhook(reserved.account) is not None

    def _webhook(self, account: AccountRef) -> str | None:
        return webhook_url(
            self._keyring,
            public_url=self._public_url,
            endpoint=self._endpoint,
            company_id=account.company_id,
            account_id=account.account_id,
        )


def max_minutes(reserved: Reserved) -> int:
    """How long the call may last."""
    return int(content_of(reserved).options.get("max_duration") or MAX_DURATION)


def details_of(content: Content, *, values: Values, zone: str | None) -> dict[str, Any]:
    """The fields of Bland's call for a step. Raises MissingVariable."""
    options, lead = content.options, values["lead"]
    found = {ours: options[name] for name, ours in _PLAIN.items() if options.get(name) is not None}
    found.setdefault("max_duration", MAX_DURATION)
    if first := options.get("first_sentence"):
        found["first_sentence"] = _line(first, values)
    if voicemail := options.get("voicemail"):
        found["voicemail"] = _voicemail(voicemail, values)
    if zone:
        found["timezone"] = zone
    found["guard_rails"] = _guard_rails(options)
    # With a pathway Bland wants no task.
    if "pathway_id" in found:
        found["request_data"] = {name: lead[name] for name in _LEAD_FIELDS if lead.get(name)}
    else:
        template = read_template(content.message_template, field="message_template")
        found["task"] = fill_in(template, values).strip()
    return found


def _voicemail(options: Mapping[str, Any], values: Values) -> dict[str, Any]:
    message = options.get("message")
    said = {"message": _line(message, values)} if message else {}
    return {"action": options["action"], **said}


def _guard_rails(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    rails = (("discloses_ai", _DISCLOSURE), ("lets_opt_out", _OPT_OUT))
    return [dict(rail) for name, rail in rails if options.get(name, True)]


def _line(template: str, values: Values) -> str:
    return fill_in(read_template(template, field="call"), values).strip()
