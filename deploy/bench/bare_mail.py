"""A workflow whose one activity makes the calls of a mail, and does nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from shared.providers.gmail import GmailClient
    from shared.providers.mime import Mail

ACTIVITY = "bare.mail"
TEXT = "Hello there,\n\n" + "some words of text " * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class BareMails:
    """Mails from one mailbox to one person, with `waits` in seconds before each."""

    mailbox: str
    to: str
    waits: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BareMail:
    mailbox: str
    to: str
    thread_id: str | None = None
    earlier_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BareSent:
    id: str
    thread_id: str


class BareMailActivities:
    """`clients`: by the mailbox's address."""

    def __init__(self, clients: Mapping[str, GmailClient]) -> None:
        self._clients = clients

    @activity.defn(name=ACTIVITY)
    async def send(self, order: BareMail) -> BareSent:
        """Read the last mail's Message-ID, draft and send, as one step of a campaign does."""
        client, message_id = self._clients[order.mailbox], None
        if order.earlier_id is not None:
            message_id = await client.message_id_of(order.earlier_id)
        mail = Mail(
            key="bare",
            sender=order.mailbox,
            to=order.to,
            subject="A word about Berlin",
            text=TEXT,
            in_reply_to=message_id,
            references=(message_id,) if message_id else (),
        )
        draft = await client.create_draft(mail.to_raw(), thread_id=order.thread_id)
        sent = await client.send_draft(draft.id)
        return BareSent(id=sent.id, thread_id=sent.thread_id)


@workflow.defn(name="bare.mails")
class BareMailWorkflow:
    @workflow.run
    async def run(self, start: BareMails) -> None:
        """Wait and send, as often as there are waits."""
        order = BareMail(mailbox=start.mailbox, to=start.to)
        for wait in start.waits:
            if wait:
                await workflow.sleep(timedelta(seconds=wait))
            sent = await workflow.execute_activity_method(
                BareMailActivities.send, order, start_to_close_timeout=timedelta(seconds=60)
            )
            order = BareMail(
                mailbox=start.mailbox, to=start.to, thread_id=sent.thread_id, earlier_id=sent.id
            )
