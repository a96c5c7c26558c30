"""The demo from the first request to the last comparison, through the gateway alone."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.demo.audit import Course
from deploy.demo.gateway import Gateway
from deploy.demo.ledger import LedgerRecipient
from deploy.demo.screen import Screen
from deploy.demo.script import COMPANY, PASSWORD, SELLER, STEPS, Lead
from deploy.sandbox.mailbox import InMailbox
from deploy.sandbox.people import Deed, People

LOOK_SECONDS = 0.5
GIVE_UP_SECONDS = 300
# After the last recipient has ended, an answer to the last mail may still be on its way.
SETTLE_SECONDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What a person set up. `leads` by the ids that the gateway gave them."""

    id: str
    leads: dict[str, Lead]


async def set_up(gateway: Gateway, leads: Sequence[Lead], screen: Screen) -> Campaign:
    """Everything that a person does before pressing the button."""
    screen.say("Signing up, and creating a company")
    await gateway.sign_up(email=SELLER.email, password=PASSWORD, name=SELLER.name)
    company_id = await gateway.create_company(COMPANY)
    screen.say(f"Connecting {SELLER.email} by Google's consent page")
    await gateway.raise_limits(await gateway.connect_gmail(SELLER.email))
    screen.say(f"Creating {len(leads)} leads, and a campaign of {len(STEPS)} mails")
    known = {await gateway.create_lead(company_id, lead): lead for lead in leads}
    campaign_id = await gateway.create_campaign("More light")
    for step in STEPS:
        await gateway.add_step(campaign_id, step)
    await gateway.add_recipients(campaign_id, list(known))
    return Campaign(id=campaign_id, leads=known)


async def perform(gateway: Gateway, campaign: Campaign, people: People, screen: Screen) -> float:
    """Press the button and watch until all have ended; seconds from the button to the end."""
    started_at = time.monotonic()
    await gateway.activate(campaign.id)
    screen.say("The campaign is active")
    try:
        async with asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(people.play())
            with screen:
                await _watch(gateway, campaign, people, screen)
            seconds = time.monotonic() - started_at
            playing.cancel()
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    # What was sent after the last look still counts.
    await people.take_turn()
    return seconds


async def compare(gateway: Gateway, campaign: Campaign, people: People) -> list[Course]:
    """The whole course of every lead, from the ledger, the Sent folder and the people's log."""
    recipients = [
        recipient.having(await gateway.list_actions(campaign.id, recipient.id))
        for recipient in await gateway.list_recipients(campaign.id)
    ]
    return sorted(_courses(campaign, recipients, people), key=lambda course: course.name)


async def _watch(gateway: Gateway, campaign: Campaign, people: People, screen: Screen) -> None:
    """Return when all have ended, everybody has read and answered, and every answer is known."""
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    turns_at_end: int | None = None
    while time.monotonic() < give_up_at:
        recipients = await gateway.list_recipients(campaign.id)
        screen.show(recipients, people)
        if not all(recipient.has_ended for recipient in recipients):
            turns_at_end = None
        elif turns_at_end is None:
            turns_at_end = people.turns
            give_up_at = min(give_up_at, time.monotonic() + SETTLE_SECONDS)
        # Of the two turns the second began after the last mail had been sent.
        elif people.turns >= turns_at_end + 2 and not people.is_busy:
            courses = _courses(campaign, recipients, people)
            if all(course.is_heard for course in courses):
                return
        await asyncio.sleep(LOOK_SECONDS)


def _courses(
    campaign: Campaign, recipients: Sequence[LedgerRecipient], people: People
) -> list[Course]:
    mails: dict[str, list[InMailbox]] = defaultdict(list)
    for mail in sorted(people.mails.values(), key=lambda mail: mail.at):
        mails[mail.received.to].append(mail)
    deeds: dict[str, list[Deed]] = defaultdict(list)
    for deed in people.deeds:
        deeds[deed.address].append(deed)
    return [
        Course(
            address=(lead := campaign.leads[recipient.lead_id]).email,
            name=lead.name,
            recipient=recipient,
            mails=tuple(mails[lead.email]),
            deeds=tuple(deeds[lead.email]),
        )
        for recipient in recipients
    ]
