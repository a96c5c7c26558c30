"""Mailboxes of the emulator as a benchmark uses them, and what is found in them afterwards."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from itertools import pairwise
from uuid import UUID

import httpx
from sqlalchemy import select

from deploy.bench.result import WentWrong
from deploy.sandbox.emulator import GoogleEmulator
from deploy.sandbox.mailbox import access_token
from shared.db.models import ActionRow, LeadRow, RecipientRow
from shared.db.session import Database
from shared.providers.gmail import GmailClient

# The emulator turns a token away after 5,000 requests in an hour.
REQUESTS_A_TOKEN = 4_500
READ_AT_ONCE = 20


class SandboxTokens:
    """Of one mailbox: a fresh one by consent before the emulator would refuse the old one."""

    def __init__(self, google: GoogleEmulator, address: str) -> None:
        self._google, self._address = google, address
        self._token, self._left = "", 0
        self._turn = asyncio.Lock()

    async def access_token(self, *, rejected: str | None = None) -> str:
        async with self._turn:
            if self._left == 0 or rejected == self._token:
                self._token = await access_token(self._google, self._address)
                self._left = REQUESTS_A_TOKEN
            self._left -= 1
            return self._token


class SandboxMailboxes:
    """One client for each address."""

    def __init__(
        self, http: httpx.AsyncClient, google: GoogleEmulator, addresses: Sequence[str]
    ) -> None:
        self.tokens = {address: SandboxTokens(google, address) for address in addresses}
        self.clients = {
            address: GmailClient(http, endpoint=google.url, tokens=tokens)
            for address, tokens in self.tokens.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMail:
    """A mail that the ledger says was sent, as it lies in its account's mailbox."""

    account_id: UUID
    thread_id: str
    sender: str
    to: str
    in_reply_to: str
    message_id: str | None


async def check_mails(
    database: Database,
    company_id: UUID,
    accounts: dict[UUID, str],
    mailboxes: SandboxMailboxes,
    *,
    steps: int,
) -> int:
    """How many mails were found: each in its thread, from its mailbox. Raises WentWrong."""
    query = (
        select(ActionRow, LeadRow.email)
        .join(RecipientRow, RecipientRow.id == ActionRow.recipient_id)
        .join(LeadRow, LeadRow.id == RecipientRow.lead_id)
        .where(ActionRow.status == "sent")
        .order_by(ActionRow.recipient_id, ActionRow.settled_at)
    )
    chains: dict[str, list[ActionRow]] = {}
    async with database.company_session(company_id) as session:
        for action, address in await session.execute(query):
            chains.setdefault(address or "", []).append(action)
    gate = asyncio.Semaphore(READ_AT_ONCE)

    async def check_one(address: str, actions: Sequence[ActionRow]) -> int:
        async with gate:
            mails = [await _find(action, accounts, mailboxes) for action in actions]
        check_chain(address, mails, accounts, steps=steps)
        return len(mails)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(check_one(*chain)) for chain in chains.items()]
    return sum(task.result() for task in tasks)


async def _find(
    action: ActionRow, accounts: dict[UUID, str], mailboxes: SandboxMailboxes
) -> FoundMail:
    account_id, provider_id = action.account_id, action.provider_id
    if account_id is None or provider_id is None:
        raise WentWrong(f"action {action.id} counts as sent and names no mail")
    client = mailboxes.clients[accounts[account_id]]
    mail = await client.get_mail(provider_id)
    headers = message_from_bytes(mail.raw, policy=default)
    return FoundMail(
        account_id=account_id,
        thread_id=mail.thread_id,
        sender=headers["From"].addresses[0].addr_spec,
        to=headers["To"].addresses[0].addr_spec,
        in_reply_to=str(headers["In-Reply-To"] or ""),
        message_id=await client.message_id_of(provider_id),
    )


def check_chain(
    address: str, mails: Sequence[FoundMail], accounts: dict[UUID, str], *, steps: int
) -> None:
    if len(mails) != steps:
        raise WentWrong(f"{address} got {len(mails)} mails instead of {steps}")
    for mail in mails:
        if mail.to != address or mail.sender != accounts[mail.account_id]:
            raise WentWrong(f"a mail for {address} went from {mail.sender} to {mail.to}")
    for earlier, later in pairwise(mails):
        is_same = later.account_id == earlier.account_id and later.thread_id == earlier.thread_id
        if not is_same or later.in_reply_to != earlier.message_id:
            raise WentWrong(f"a follow-up for {address} is not in the thread of the mail before")
