"""What the demo is about: who sells, who is written to, and the three mails."""

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

FIRST_NAMES = (
    "Ada", "Ben", "Clara", "David", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas",
    "Kira", "Luca", "Mara", "Noah", "Olga", "Paul", "Rosa", "Samir", "Tessa", "Yusuf",
)  # fmt: skip
LAST_NAMES = ("Berg", "Costa", "Dahl", "Eriksen", "Fischer", "Gruber", "Horvat", "Jansen")
CITIES = ("Berlin", "Lisbon", "Oslo", "Vienna", "Zagreb", "Utrecht", "Ghent", "Turin")
COMPANIES = ("Alder & Sons", "Brightwater", "Cobalt Works", "Driftwood Labs", "Elmfield")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    email: str
    first_name: str
    last_name: str
    city: str
    company_name: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One mail, `delay_seconds` after the one before it. A follow-up needs no subject."""

    subject: str | None
    message_template: str
    delay_seconds: int


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
