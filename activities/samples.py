"""Sends a step's mail to somebody who wants to look at it, the same bytes but for the recipient."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import format_datetime
from uuid import UUID

from sqlalchemy import select, text
from temporalio import activity

from activities.clock import now
from activities.mailboxes import Mailboxes, Postboxes
from activities.smtp import envelope_address
from shared.content import MissingVariable
from shared.contracts.operations import SampleOrder
from shared.db.models import SampleMailRow, SampleStatus, StepRow
from shared.db.repositories.letter_sources import LetterSource, find_letter_source
from shared.db.session import Database
from shared.domain.channels import AccountKind
from shared.errors import Ambiguous, Invalid, ProviderError
from shared.keyring import Keyring
from shared.letters import write_mail
from shared.providers.gmail import GmailClient
from shared.providers.mime import Mail
from shared.providers.smtp import smtp_session
from shared.samples import sample_letter
from shared.tokens import AccountRef

CALL_SECONDS = 45
# What a person may read of an error.
LONGEST_REASON = 500

_SETTLE = text("""
update sample_mails set status = :status, error = :error, settled_at = :now
where id = :id and status = 'sending'
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    row: SampleMailRow
    source: LetterSource
    steps: Sequence[StepRow]
    step: StepRow

    @property
    def account(self) -> AccountRef:
        row = self.source.row
        return AccountRef(
            company_id=row.company_id, account_id=row.account_id, user_id=row.account_user_id
        )


class SampleActivities:
    """Tried once: whoever has asked for it sees what became of it, and asks again."""

    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        mailboxes: Mailboxes,
        postboxes: Postboxes,
        public_url: str,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._mailboxes = mailboxes
        self._postboxes = postboxes
        self._public_url = public_url

    @activity.defn(name="sample.send")
    async def send(self, order: SampleOrder) -> None:
        sample = await self._take(order)
        if sample is None:
            return
        status, error = SampleStatus.SENT, None
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self._send(sample)
        except (Ambiguous, TimeoutError):
            # It may have left, and stays `sending`.
            return
        except (MissingVariable, Invalid, ProviderError) as refusal:
            status, error = SampleStatus.FAILED, str(refusal)[:LONGEST_REASON]
        settled = {"id": order.sample_id, "status": status, "error": error, "now": now()}
        async with self._database.company_transaction(order.company_id) as connection:
            await connection.execute(_SETTLE, settled)

    async def _take(self, order: SampleOrder) -> _Sample | None:
        """None: another attempt has it, or it is not there any more."""
        async with self._database.company_session(order.company_id) as session:
            waits = SampleMailRow.id == order.sample_id, SampleMailRow.status == "pending"
            row = await session.scalar(select(SampleMailRow).where(*waits).with_for_update())
            if row is None:
                return None
            found = select(StepRow).where(StepRow.campaign_id == row.campaign_id)
            steps = (await session.scalars(found.order_by(StepRow.position))).all()
            step = next((one for one in steps if one.id == row.step_id), None)
            if step is None:
                row.status, row.error = SampleStatus.FAILED, "The step was removed meanwhile"
                return None
            source = await find_letter_source(session, row.campaign_id, row.lead_id)
            row.status = SampleStatus.SENDING
            return _Sample(row=row, source=source, steps=steps, step=step)

    async def _send(self, sample: _Sample) -> None:
        if sample.source.row.account_kind == AccountKind.SMTP:
            await self._send_by_smtp(sample)
            return
        client = self._mailboxes.open(sample.account)
        mail = self._write(sample, await _message_ids(client, sample))
        # Into no thread of the lead's: there a look-up would take it for the lead's own mail.
        draft = await client.create_draft(mail.to_raw())
        await client.send_draft(draft.id)

    async def _send_by_smtp(self, sample: _Sample) -> None:
        mail = self._write(sample, {})
        sender, to = envelope_address(mail.sender), envelope_address(mail.to)
        # Not the one of the lead's mail: by that a look-up among the sent ones knows it.
        message_id = f"<test.{sample.row.id}@{sender.rpartition('@')[2]}>"
        ours = (("Date", format_datetime(now())), ("Message-ID", message_id))
        raw = replace(mail, headers=(*ours, *mail.headers)).to_raw()
        logins = await self._postboxes.logins(sample.account)
        async with smtp_session(logins.smtp, tls=self._postboxes.tls) as session:
            await session.address(sender=sender, to=to)
            await session.begin()
            await session.finish(raw)

    def _write(self, sample: _Sample, message_ids: Mapping[UUID, str]) -> Mail:
        letter = sample_letter(
            sample.source,
            sample.steps,
            sample.step,
            keyring=self._keyring,
            public_url=self._public_url,
            message_ids=message_ids,
        )
        return replace(write_mail(letter), to=sample.row.to_address)


async def _message_ids(client: GmailClient, sample: _Sample) -> dict[UUID, str]:
    """That of the mail it goes on with, which nobody has read back yet."""
    earlier = sample.source.find_thread(sample.step)
    if earlier is None or earlier.message_id or earlier.provider_id is None:
        return {}
    message_id = await client.message_id_of(earlier.provider_id)
    return {earlier.id: message_id} if message_id else {}
