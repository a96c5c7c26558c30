"""The demo from the first request to the last comparison, through the gateway alone."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from deploy.demo.audit import Course
from deploy.demo.gateway import Gateway
from deploy.demo.hands import HandDeed, Hands
from deploy.demo.ledger import LedgerRecipient
from deploy.demo.phones import PhoneDeed, Phones
from deploy.demo.screen import Screen
from deploy.demo.script import COMPANY, MIXED_STEPS, PASSWORD, SELLER, STEPS, Lead, Step
from deploy.sandbox.mailbox import InMailbox
from deploy.sandbox.people import Deed, People

LOOK_SECONDS = 0.5
GIVE_UP_SECONDS = 300
# After the last recipient has ended, an answer to the last mail may still be on its way.
SETTLE_SECONDS = 15

AnyDeed = TypeVar("AnyDeed", InMailbox, Deed, PhoneDeed, HandDeed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What a person set up. `leads` by the ids that the gateway gave them, `channels` by steps'."""

    id: str
    leads: dict[str, Lead]
    channels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everybody outside: who writes back, who picks up a phone, who works to-dos."""

    people: People
    phones: Phones | None = None
    hands: Hands | None = None

    @property
    def calls(self) -> Sequence[PhoneDeed]:
        return self.phones.deeds if self.phones else ()

    @property
    def done_by_hand(self) -> Sequence[HandDeed]:
        return self.hands.deeds if self.hands else ()

    @property
    def is_busy(self) -> bool:
        """Whether somebody is still thinking, or on the phone."""
        return self.people.is_busy or bool(self.phones and self.phones.is_busy)

    async def play(self) -> None:
        """Let them live, until cancelled."""
        async with asyncio.TaskGroup() as living:
            for one in (self.people, self.phones, self.hands):
                if one is not None:
                    living.create_task(one.play())


async def set_up(
    gateway: Gateway, leads: Sequence[Lead], screen: Screen, *, phones: Phones | None = None
) -> list[Campaign]:
    """Everything that a person does before pressing the button."""
    screen.say("Signing up, and creating a company")
    await gateway.sign_up(email=SELLER.email, password=PASSWORD, name=SELLER.name)
    company_id = await gateway.create_company(COMPANY)
    screen.say(f"Connecting {SELLER.email} by Google's consent page")
    await gateway.lift_limits(await gateway.connect_gmail(SELLER.email))
    screen.say(f"Creating {len(leads)} leads, and a campaign of {len(STEPS)} mails")
    known = {await gateway.create_lead(company_id, lead): lead for lead in leads}
    by_mail = {key: lead for key, lead in known.items() if not lead.phone}
    campaigns = [await _make(gateway, "More light", STEPS, by_mail)] if by_mail else []
    if phones is not None:
        screen.say("Connecting a phone line, and creating a campaign of mail, LinkedIn and calls")
        await gateway.connect_bland(phones.api_key)
        mixed = {key: lead for key, lead in known.items() if lead.phone}
        campaigns.append(await _make(gateway, "More light, closer", MIXED_STEPS, mixed, "multi"))
    return campaigns


async def perform(
    gateway: Gateway, campaigns: Sequence[Campaign], world: World, screen: Screen
) -> float:
    """Press the button and watch until all have ended; seconds from the button to the end."""
    started_at = time.monotonic()
    for campaign in campaigns:
        await gateway.activate(campaign.id)
    screen.say("The campaign is active" if len(campaigns) == 1 else "The campaigns are active")
    try:
        async with asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(world.play())
            with screen:
                await _watch(gateway, campaigns, world, screen)
            seconds = time.monotonic() - started_at
            playing.cancel()
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    # What was sent after the last look still counts.
    await world.people.take_turn()
    return seconds


async def compare(gateway: Gateway, campaigns: Sequence[Campaign], world: World) -> list[Course]:
    """The whole course of every lead, from the ledger, the Sent folder and the people's log."""
    courses: list[Course] = []
    for campaign in campaigns:
        recipients = [
            recipient.having(await gateway.list_actions(campaign.id, recipient.id))
            for recipient in await gateway.list_recipients(campaign.id)
        ]
        courses += sorted(_courses(campaign, recipients, world), key=lambda course: course.name)
    return courses


async def _make(
    gateway: Gateway, name: str, steps: Sequence[Step], leads: dict[str, Lead], kind: str = "email"
) -> Campaign:
    campaign_id = await gateway.create_campaign(name, kind=kind)
    channels = {await gateway.add_step(campaign_id, step): step.channel for step in steps}
    await gateway.add_recipients(campaign_id, list(leads))
    return Campaign(id=campaign_id, leads=leads, channels=channels)


async def _watch(
    gateway: Gateway, campaigns: Sequence[Campaign], world: World, screen: Screen
) -> None:
    """Return when all have ended, everybody has read and answered, and every answer is known."""
    people = world.people
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    turns_at_end: int | None = None
    while time.monotonic() < give_up_at:
        found = {it.id: await gateway.list_recipients(it.id) for it in campaigns}
        recipients = [recipient for those in found.values() for recipient in those]
        screen.show(recipients, people, calls=world.calls, hands=world.done_by_hand)
        if not all(recipient.has_ended for recipient in recipients):
            turns_at_end = None
        elif turns_at_end is None:
            turns_at_end = people.turns
            give_up_at = min(give_up_at, time.monotonic() + SETTLE_SECONDS)
        # Of the two turns the second began after the last mail had been sent.
        elif people.turns >= turns_at_end + 2 and not world.is_busy:
            courses = [it for one in campaigns for it in _courses(one, found[one.id], world)]
            if all(course.is_heard for course in courses):
                return
        await asyncio.sleep(LOOK_SECONDS)


def _courses(
    campaign: Campaign, recipients: Sequence[LedgerRecipient], world: World
) -> list[Course]:
    in_order = sorted(world.people.mails.values(), key=lambda mail: mail.at)
    mails = _by((mail.received.to, mail) for mail in in_order)
    deeds = _by((deed.address, deed) for deed in world.people.deeds)
    calls = _by((call.number, call) for call in world.calls)
    hands = _by((deed.todo.lead_id, deed) for deed in world.done_by_hand)
    return [
        Course(
            address=(lead := campaign.leads[recipient.lead_id]).email,
            name=lead.name,
            recipient=recipient,
            mails=mails[lead.email],
            deeds=deeds[lead.email],
            calls=calls[lead.phone or ""],
            hands=hands[recipient.lead_id],
            channels=campaign.channels,
        )
        for recipient in recipients
    ]


def _by(pairs: Iterable[tuple[str, AnyDeed]]) -> Mapping[str, tuple[AnyDeed, ...]]:
    """Whatever belongs to somebody, by their name; nobody has nothing."""
    found: dict[str, tuple[AnyDeed, ...]] = defaultdict(tuple)
    for name, deed in pairs:
        found[name] += (deed,)
    return found
