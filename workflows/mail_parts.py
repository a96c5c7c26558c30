"""Wires what sends mail, and what reads mailboxes."""

from dataclasses import dataclass

from activities.gmail import GmailActivities
from activities.inbox import InboxActivities, MailboxReader
from activities.letters import LetterWriter
from activities.linkedin_reading import LinkedInReader
from activities.samples import SampleActivities
from activities.smtp import SmtpActivities
from activities.tidying import TidyingActivities
from activities.watching import WatchActivities
from workflows.channel_parts import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class MailParts:
    gmail: GmailActivities
    smtp: SmtpActivities
    inbox: InboxActivities
    samples: SampleActivities
    tidying: TidyingActivities
    watching: WatchActivities


def mail_parts(
    shop: Workshop, linkedin: LinkedInReader, *, poll_seconds: float, push_topic: str | None
) -> MailParts:
    """`linkedin` reads its accounts in the round of the mailboxes."""
    database, keyring, ledger = shop.database, shop.keyring, shop.ledger
    mailboxes, postboxes = shop.mailboxes, shop.postboxes
    reader = MailboxReader(
        database=database,
        mailboxes=mailboxes,
        postboxes=postboxes,
        keyring=keyring,
        conductor=shop.conductor,
    )
    writer = LetterWriter(keyring=keyring, public_url=shop.public_url)
    return MailParts(
        gmail=GmailActivities(
            ledger=ledger, mailboxes=mailboxes, reader=reader, writer=writer, keyring=keyring
        ),
        smtp=SmtpActivities(ledger=ledger, postboxes=postboxes, reader=reader, writer=writer),
        inbox=InboxActivities(
            database=database, reader=reader, poll_seconds=poll_seconds, linkedin=linkedin
        ),
        samples=SampleActivities(
            database=database,
            keyring=keyring,
            mailboxes=mailboxes,
            postboxes=postboxes,
            public_url=shop.public_url,
        ),
        tidying=TidyingActivities(database=database, mailboxes=mailboxes),
        watching=WatchActivities(database=database, mailboxes=mailboxes, topic=push_topic),
    )
