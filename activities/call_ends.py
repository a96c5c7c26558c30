"""What is made of a call that is over: what was said is kept, and what it means is done."""

from contextlib import suppress
from datetime import datetime, timedelta

from activities.call_meetings import CallMeetings
from activities.clock import now
from activities.phone_lines import PhoneLines, max_minutes
from activities.results import Postponed, Reserved, Sent, Skipped
from shared.conductor import Conductor
from shared.contracts.inbound import InboundEvent
from shared.db.repositories.calls import EndedCall, PlacedCall, note_lead_status, store_ended
from shared.db.session import Database
from shared.domain.branches import StepOutcome
from shared.domain.calls import CallReport, lead_status_of, outcome_of
from shared.domain.inbound import InboundKind
from shared.errors import AccountRefused, AuthExpired, Gone, Unavailable
from shared.inbound import receive_inbound
from shared.keyring import Keyring
from shared.providers.bland import BlandClient
from shared.providers.bland_reports import PROVIDER, inbound_events, says_never_again

# A call that is not over so long after it had to be never will be, as far as anybody can tell.
OVERDUE = timedelta(minutes=15)
SHORTEST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=5)

Ended = Sent | Skipped | Postponed


class CallEnds:
    def __init__(
        self,
        *,
        database: Database,
        keyring: Keyring,
        conductor: Conductor,
        lines: PhoneLines,
        meetings: CallMeetings,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._conductor = conductor
        self._lines = lines
        self._meetings = meetings

    async def collect(self, reserved: Reserved) -> Ended:
        """Ask Bland, and keep what it says when the call is over."""
        call_id = reserved.action.provider_id
        if call_id is None:
            return self._ask_again(reserved)
        try:
            client = await self._lines.open(reserved.account)
            report = await self._read(client, reserved, call_id)
        except (AuthExpired, AccountRefused) as error:
            if not self._is_overdue(reserved):
                raise
            return _unknown(f"What came of the call was never known: {error}")
        except Gone:
            if not self._is_overdue(reserved):
                return self._ask_again(reserved)
            return _unknown("Bland knows nothing of the call any more")
        if report is None:
            return self._ask_again(reserved)
        if not report.is_over:
            return _unknown("Bland never said that the call is over, so it was stopped")
        return await self._keep(reserved, report)

    async def never_again(self, reserved: Reserved) -> None:
        """The provider must not dial this number: nothing may reach the lead any more."""
        event = InboundEvent(
            company_id=reserved.situation.recipient.company_id,
            account_id=reserved.action.account_id,
            provider=PROVIDER,
            provider_event_id=f"do-not-call/{reserved.action.id}/{reserved.action.round}",
            kind=InboundKind.DO_NOT_CALL,
            occurred_at=now(),
            recipient_id=reserved.situation.recipient.id,
        )
        await receive_inbound(self._database, self._keyring, self._conductor, event)

    async def _read(
        self, client: BlandClient, reserved: Reserved, call_id: str
    ) -> CallReport | None:
        """None: it goes on. One that nobody wants any more, or that never ends, is hung up.

        Not on a lead who is talking: they may be agreeing on what has just ended the campaign.
        """
        report, is_overdue = await client.read(call_id), self._is_overdue(reserved)
        if report.is_over:
            return report
        if not is_overdue and (reserved.is_wanted or report.said):
            return None
        # It may have ended in between; then there is nothing to stop, and its end is read.
        with suppress(Gone, Unavailable):
            await client.stop(call_id)
        report = await client.read(call_id)
        return report if report.is_over or is_overdue else None

    async def _keep(self, reserved: Reserved, report: CallReport) -> Ended:
        outcome, at = outcome_of(report), now()
        recipient = reserved.situation.recipient
        placed = PlacedCall(
            recipient_id=recipient.id,
            action_id=reserved.action.id,
            step_id=reserved.action.step_id,
            account_id=reserved.action.account_id,
            provider_id=report.call_id,
            phone=reserved.action.message_id,
            placed_at=reserved.action.attempted_at,
        )
        ended = EndedCall(
            report=report,
            outcome=outcome,
            says_never_again=says_never_again(report),
            collected_at=at,
        )
        async with self._database.company_transaction(recipient.company_id) as connection:
            await store_ended(connection, placed, ended)
        await self._tell(reserved, report)
        if (status := lead_status_of(report)) and not ended.says_never_again:
            async with self._database.company_transaction(recipient.company_id) as connection:
                await note_lead_status(connection, recipient.lead_id, status)
        if not ended.says_never_again:
            postponed = await self._meetings.agree(reserved, report)
            if postponed is not None:
                return postponed
        if outcome is StepOutcome.FAILED:
            return Skipped(reason=_why_failed(report), outcomes={outcome: at})
        return Sent(provider_id=report.call_id, outcomes={outcome: at})

    async def _tell(self, reserved: Reserved, report: CallReport) -> None:
        """What ends the lead's campaigns. That the call is over this recipient hears anyway."""
        recipient, account_id = reserved.situation.recipient, reserved.action.account_id
        if account_id is None:
            return
        events = inbound_events(
            report,
            company_id=recipient.company_id,
            account_id=account_id,
            recipient_id=recipient.id,
            now=now(),
        )
        for event in events:
            is_end = event.kind is InboundKind.CALL_ENDED
            conductor = None if is_end else self._conductor
            await receive_inbound(self._database, self._keyring, conductor, event)

    def _ask_again(self, reserved: Reserved) -> Postponed:
        """The longer it lasts, the less often."""
        lasted = now() - reserved.action.attempted_at
        wait = min(max(lasted / 2, SHORTEST_WAIT), LONGEST_WAIT)
        return Postponed(until=now() + wait, reason="the call is under way")

    def _is_overdue(self, reserved: Reserved) -> bool:
        return now() >= _latest_end(reserved) + OVERDUE


def _latest_end(reserved: Reserved) -> datetime:
    return reserved.action.attempted_at + timedelta(minutes=max_minutes(reserved))


def _unknown(reason: str) -> Skipped:
    return Skipped(reason=reason, outcomes={StepOutcome.FAILED: now()})


def _why_failed(report: CallReport) -> str:
    said = report.error or report.status or report.queue_status or "it does not say why"
    return f"Bland could not make the call: {said[:200]}"
