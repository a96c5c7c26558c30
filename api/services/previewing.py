"""What a campaign's mails look like, for one lead and for everybody, before they leave."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.conducting import Conducting
from api.places import Places
from api.schemas.previewing import GapsAnswer, PreviewAnswer, StepPreview
from api.services.campaigns import get_campaign, list_steps
from api.services.gaps import count_gaps
from api.services.linting import ADDRESS_OF
from api.services.preview_ways import Way, ways_of
from shared.content import MissingVariable, fill_in, read_template
from shared.db.models import SampleMailRow, StepRow
from shared.db.models.accounts import AccountStatus
from shared.db.repositories.letter_sources import (
    LetterSource,
    find_lead_to_show,
    find_letter_source,
)
from shared.db.session import Database
from shared.domain.channels import Channel
from shared.errors import Conflict, Invalid, NotFound
from shared.keyring import Keyring
from shared.letters import Letter, write_mail
from shared.samples import sample_letter
from shared.templating.variables import facts_of, missing, values_of


class PreviewService:
    def __init__(
        self, *, database: Database, keyring: Keyring, conducting: Conducting, places: Places
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._conducting = conducting
        self._places = places

    async def preview(
        self, caller: Caller, campaign_id: UUID, lead_id: UUID | None
    ) -> PreviewAnswer:
        """Every step as the lead would get it. Raises NotFound, and Conflict without any lead."""
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            steps = await list_steps(session, campaign_id)
            source = await _find_source(session, campaign_id, lead_id)
        ways = ways_of(source, steps, datetime.now(UTC))
        shown = [self._show(source, steps, step, ways[step.id]) for step in steps]
        return PreviewAnswer(
            lead_id=source.row.lead_id,
            recipient_id=source.row.recipient_id,
            steps=shown,
            missing_variables=sorted({name for one in shown for name in one.missing_variables}),
        )

    async def count_gaps(self, caller: Caller, campaign_id: UUID) -> GapsAnswer:
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            return await count_gaps(session, campaign_id, await list_steps(session, campaign_id))

    async def send_sample(
        self, caller: Caller, campaign_id: UUID, step_number: int, *, to: str, lead_id: UUID | None
    ) -> SampleMailRow:
        """Have a step's mail sent to somebody who looks at it."""
        async with self._database.company_session(caller.company_id) as session:
            await get_campaign(session, campaign_id)
            steps = await list_steps(session, campaign_id)
            step = next((one for one in steps if one.position == step_number), None)
            if step is None:
                raise NotFound(f"The campaign has no step {step_number}")
            source = await _find_source(session, campaign_id, lead_id)
            _must_be_sendable(source, step, to)
            row = SampleMailRow(
                campaign_id=campaign_id,
                lead_id=source.row.lead_id,
                step_id=step.id,
                to_address=to,
                created_by=caller.user_id,
            )
            session.add(row)
            await session.flush()
            await session.refresh(row)
        await self._conducting.send_sample(caller.company_id, row.id)
        return row

    async def get_sample(self, caller: Caller, campaign_id: UUID, sample_id: UUID) -> SampleMailRow:
        wanted = SampleMailRow.id == sample_id, SampleMailRow.campaign_id == campaign_id
        async with self._database.company_session(caller.company_id) as session:
            row = await session.scalar(select(SampleMailRow).where(*wanted))
        if row is None:
            raise NotFound(f"Test mail {sample_id} is not there")
        return row

    def _show(
        self, source: LetterSource, steps: Sequence[StepRow], step: StepRow, way: Way
    ) -> StepPreview:
        letter = sample_letter(
            source, steps, step, keyring=self._keyring, public_url=self._places.public_url
        )
        is_mail = step.channel is Channel.EMAIL
        shown = StepPreview(
            step_id=step.id,
            step_number=step.position,
            key=step.name,
            channel=step.channel,
            at=way.at,
            when=list(way.when),
            is_taken=way.is_taken,
            is_sent=any(one.step_id == step.id and one.settled_at for one in source.done),
            sender=source.row.account_email if is_mail else None,
            to=_address(source, step),
            subject=None,
            text=None,
            html=None,
            missing_variables=_missing(letter, is_mail=is_mail),
            error=None,
        )
        try:
            return shown.model_copy(update=_words(letter, is_mail=is_mail))
        except MissingVariable as error:
            return shown.model_copy(update={"error": str(error)})


def _address(source: LetterSource, step: StepRow) -> str | None:
    address = ADDRESS_OF.get(step.channel)
    found: str | None = source.row.lead.get(address) if address else None
    return found


def _words(letter: Letter, *, is_mail: bool) -> dict[str, str | None]:
    if is_mail:
        mail = write_mail(letter)
        return {"subject": mail.subject, "text": mail.text, "html": mail.html}
    values = values_of(letter.facts, unsubscribe_url=letter.unsubscribe_url)
    return {"text": fill_in(read_template(letter.body, field="message_template"), values)}


def _missing(letter: Letter, *, is_mail: bool) -> list[str]:
    line = letter.subject if is_mail else ""
    subject = read_template(line, field="subject", is_line=True)
    body = read_template(letter.body, field="message_template")
    values = values_of(letter.facts, unsubscribe_url=letter.unsubscribe_url)
    return missing((*subject.needs, *body.needs), values)


async def _find_source(
    session: AsyncSession, campaign_id: UUID, lead_id: UUID | None
) -> LetterSource:
    shown = lead_id or await find_lead_to_show(session, campaign_id)
    if shown is None:
        raise Conflict("There is no lead yet: add one, and name it")
    return await find_letter_source(session, campaign_id, shown)


def _must_be_sendable(source: LetterSource, step: StepRow, to: str) -> None:
    row = source.row
    if step.channel is not Channel.EMAIL:
        raise Conflict("Only a step that is a mail can be sent to somebody else")
    if row.account_id is None:
        raise Conflict("No account is connected: connect one with POST /api/accounts/gmail/connect")
    if row.account_status != AccountStatus.ACTIVE:
        raise Conflict(f"The account {row.account_email} cannot send: connect it again")
    if row.lead_email is None:
        raise Conflict("This lead has no e-mail address, so that there is no mail to look at")
    if row.lead_email == to:
        # The mail bears the key of the real one, which must not be found with the lead.
        raise Invalid("This is the lead's own address: have the test sent to you", field="to")
    body = read_template(step.message_template, field="message_template")
    if gaps := missing(body.needs, values_of(facts_of(row), unsubscribe_url="-")):
        raise Invalid(f"This lead has no {', '.join(gaps)}: name another one", field="lead_id")
