"""What the demo is about: who sells, who is reached, and what they get."""

import random
from dataclasses import dataclass

from deploy.sandbox.emulator import GoogleUser

SELLER = GoogleUser(email="sam@drumbeat.example", name="Sam Seller")
PASSWORD = "a-demo-needs-no-secret"  # noqa: S105 - opens a demo on this machine, nothing else
COMPANY = {
    "name": "Northwind Offices",
    "postal_address": "1 Harbour Street, 20457 Hamburg, Germany",
    "time_zone": "UTC",
}

EMAIL, INVITATION, CALL = "email", "linkedin_connection", "call"

FIRST_NAMES = (
    "Ada", "Ben", "Clara", "David", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas",
    "Kira", "Luca", "Mara", "Noah", "Olga", "Paul", "Rosa", "Samir", "Tessa", "Yusuf",
)  # fmt: skip
LAST_NAMES = ("Berg", "Costa", "Dahl", "Eriksen", "Fischer", "Gruber", "Horvat", "Jansen")
CITIES = ("Berlin", "Lisbon", "Oslo", "Vienna", "Zagreb", "Utrecht", "Ghent", "Turin")
COMPANIES = ("Alder & Sons", "Brightwater", "Cobalt Works", "Driftwood Labs", "Elmfield")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Those with a `phone` are in the campaign of several channels, the others get mails."""

    email: str
    first_name: str
    last_name: str
    city: str
    company_name: str
    linkedin_url: str | None = None
    phone: str | None = None
    country: str | None = None
    region: str | None = None
    consent: str | None = None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`delay_seconds` after the one before it. A follow-up by mail needs no subject."""

    subject: str | None
    message_template: str
    delay_seconds: int
    channel: str = EMAIL


STEPS = (
    Step(
        subject="{{ lead.first_name }}, more light in {{ lead.city }}?",
        message_template=(
            "Hello {{ lead.first_name }},\n\n"
            "we have offices by the water in {{ lead.city }} that would suit "
            "{{ lead.company_name }}.\nMay I show you one of them?\n\nSam"
        ),
        delay_seconds=0,
    ),
    Step(
        subject=None,
        message_template=(
            "Hello {{ lead.first_name }},\n\n"
            "one of the offices in {{ lead.city }} is free from next month.\n"
            "Is that of interest to you?\n\nSam"
        ),
        delay_seconds=6,
    ),
    Step(
        subject=None,
        message_template=(
            "Hello {{ lead.first_name }},\n\n"
            "this is my last message; if {{ lead.company_name }} ever moves, write to me.\n\nSam"
        ),
        delay_seconds=8,
    ),
)
# The invitation is done by hand: no LinkedIn account is connected.
MIXED_STEPS = (
    STEPS[0],
    Step(
        channel=INVITATION,
        subject=None,
        message_template="Hello {{ lead.first_name }}, I have just written to you. Shall we meet?",
        delay_seconds=2,
    ),
    Step(
        channel=CALL,
        subject=None,
        message_template=(
            "Ask {{ lead.first_name }} whether the mail about offices in {{ lead.city }} has"
            " arrived, and whether {{ lead.company_name }} would like to see one."
        ),
        delay_seconds=2,
    ),
    Step(
        subject=None,
        message_template=(
            "Hello {{ lead.first_name }},\n\n"
            "we have tried to reach you by phone. The floor plans are ready for you.\n\nSam"
        ),
        delay_seconds=3,
    ),
)


def make_leads(count: int, *, seed: int) -> list[Lead]:
    """Different people with different addresses; the same seed makes the same ones."""
    dice = random.Random(seed)  # noqa: S311 - made-up people, not secrets
    return [_lead(number, dice) for number in range(1, count + 1)]


def _lead(number: int, dice: random.Random) -> Lead:
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    return Lead(
        email=f"{first}.{last}.{number}@leads.example".lower(),
        first_name=first,
        last_name=last,
        city=dice.choice(CITIES),
        company_name=dice.choice(COMPANIES),
    )
