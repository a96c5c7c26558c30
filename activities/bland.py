"""Phone calls through Bland: placed once, and collected when they are over.

Bland has no token that makes a call once. The point of no return is marked before it, the call
carries our key, and whoever finds the mark of another attempt looks for the key among Bland's
calls. What is not there counts as not dialled only when a settling time has passed.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from temporalio import activity

from activities.actions import Ledger
from activities.call_ends import CallEnds
from activities.clock import is_retry, now
from activities.marks import clear_mark, new_mark, set_mark
from activities.phone_lines import PhoneLines
from activities.results import Abandoned, Done, Placed, Postponed, Reserved, Skipped
from shared.contracts.recipient import ActionOrder
from shared.db.callees import callee_in
from shared.db.models.recipients import ActionStatus
from shared.db.repositories.calls import PlacedCall, count_under_way, store_placed
from shared.domain.branches import StepOutcome
from shared.domain.calling import why_denied
from shared.domain.recipient import ActivityName, EndReason, Finished, Outcome
from shared.errors import Ambiguous, DoNotCall, NotFound, ProviderError, Refused, Unavailable
from shared.providers.bland import CallOrder

CALL_SECONDS = 45
# Both together stay within what an attempt may take.
HANG_UP_SECONDS = 10
# From the latest possible end of an attempt until Bland's list is sure to show what it did.
SETTLING = timedelta(seconds=CALL_SECONDS + 15 + 60)
# The webhook comes within a minute of the call's end. When it does not, the sweep asks.
TOLD_WITHIN = timedelta(minutes=12)
FIRST_LOOK = timedelta(seconds=60)
LINES_BUSY = timedelta(seconds=20)


class BlandActivities:
    def __init__(self, *, ledger: Ledger, lines: PhoneLines, ends: CallEnds) -> None:
        self._ledger = ledger
        self._lines = lines
        self._ends = ends

    @activity.defn(name=ActivityName.BLAND_CALL)
    async def call(self, order: ActionOrder) -> Outcome:
        """Place the call of one step, once, however often this is retried."""
        return await self._hung_up(order, await self._ledger.act_once(order, self._call))

    @activity.defn(name=ActivityName.BLAND_COLLECT)
    async def collect(self, order: ActionOrder) -> Outcome:
        """Ask how a call stands; when it is over, keep what was said and go on."""
        outcome = await self._ledger.act_once(order, self._ends.collect)
        return await self._hung_up(order, outcome)

    @activity.defn(name="bland.settle")
    async def settle(self, order: ActionOrder) -> bool:
        """Find out what became of a call that was left open, and hang up one that nobody wants.

        True: now it is known.
        """
        begun = await self._ledger.find_begun(order)
        if begun is not None and begun.action.status is not ActionStatus.PLACED:
            if begun.is_wanted:
                # Its own retry goes on.
                return False
            result = await self._call(begun)
            await self._ledger.record(order, begun, result)
            if not isinstance(result, Placed):
                return not isinstance(result, Postponed)
            begun = await self._ledger.find_begun(order)
        return begun is not None and await self._collect(order, begun)

    async def _collect(self, order: ActionOrder, placed: Reserved) -> bool:
        result = await self._ends.collect(placed)
        await self._ledger.record(order, placed, result)
        return not isinstance(result, Postponed)

    async def _hung_up(self, order: ActionOrder, outcome: Outcome) -> Outcome:
        """Who was stopped in the middle of this is not called. What fails here the sweep does."""
        if isinstance(outcome, Finished) and outcome.reason is not EndReason.COMPLETED:
            with suppress(ProviderError, NotFound, TimeoutError):
                async with asyncio.timeout(HANG_UP_SECONDS):
                    begun = await self._ledger.find_begun(order)
                    if begun is not None and begun.action.status is ActionStatus.PLACED:
                        await self._collect(order, begun)
        return outcome

    async def _call(self, reserved: Reserved) -> Done:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                if reserved.action.draft_id is not None:
                    return await self._look(reserved)
                return await self._begin(reserved)
        except TimeoutError:
            raise Unavailable("Bland took too long to answer") from None

    async def _begin(self, reserved: Reserved) -> Done:
        """The last questions before a call: is it wanted, and is it allowed?"""
        if not reserved.is_wanted:
            return Abandoned()
        situation = reserved.situation
        lead, company = situation.rest.lead, situation.rest.company
        denied = why_denied(
            callee_in(lead, now()),
            consent=lead["consent"],
            exempt=(company["settings"] or {}).get("calls_without_consent_in") or (),
        )
        # The hours themselves have held the step until now: it is not due outside of them.
        if denied is None and situation.to_progress(now()).calling is None:
            denied = "The campaign's hours are never a good time for a call where the lead is"
        if denied is not None:
            return Skipped(reason=denied, outcomes={StepOutcome.REFUSED: now()})
        return await self._place(reserved, self._lines.write(reserved, phone=lead["phone"]))

    async def _place(self, reserved: Reserved, order: CallOrder) -> Done:
        client, mark = await self._lines.open(reserved.account), new_mark("bland")
        kept = await set_mark(
            self._ledger, reserved, mark, thread_id=order.key, message_id=order.to
        )
        if kept is None:
            return Abandoned()
        if kept != mark:
            # Another attempt was first, and nobody knows how far it came.
            return self._doubted(reserved)
        if await self._lines_are_busy(reserved):
            await clear_mark(self._ledger, reserved, mark)
            reason = "all lines of the account are busy"
            return Postponed(until=now() + LINES_BUSY, reason=reason)
        try:
            call_id = await client.place(order)
        except Ambiguous:
            return await self._look(_marked(reserved, order, mark))
        except Refused as refusal:
            # Recorded over the mark: without it another attempt could still dial.
            return await self._refused(reserved, refusal)
        except ProviderError:
            # Bland has said that it did not dial, or has not heard of it.
            await clear_mark(self._ledger, reserved, mark)
            raise
        return await self._placed(reserved, call_id, phone=order.to)

    async def _refused(self, reserved: Reserved, refusal: Refused) -> Skipped:
        """This number cannot be called, or must not be: then nothing may reach the lead."""
        if isinstance(refusal, DoNotCall):
            await self._ends.never_again(reserved)
        return Skipped(reason=str(refusal), outcomes={StepOutcome.REFUSED: now()})

    async def _look(self, reserved: Reserved) -> Done:
        """What an attempt has come to that may have dialled. A look's own failure says nothing."""
        action = reserved.action
        phone = action.message_id or (reserved.situation.rest.lead or {}).get("phone")
        client = await self._lines.open(reserved.account)
        marked_at = action.confirmed_at or action.attempted_at
        found = await client.find(
            key=action.thread_id or self._lines.key_of(reserved),
            to=phone or "",
            since=min(marked_at, action.attempted_at),
        )
        if found is not None:
            return await self._placed(reserved, found.call_id, phone=phone)
        if is_retry() or now() < marked_at + SETTLING:
            return self._doubted(reserved)
        if action.draft_id is not None:
            await clear_mark(self._ledger, reserved, action.draft_id)
        unmarked = replace(reserved, action=replace(action, draft_id=None, thread_id=None))
        return await self._begin(unmarked)

    def _doubted(self, reserved: Reserved) -> Postponed:
        marked_at = reserved.action.confirmed_at or now()
        marked_at = now() if is_retry() else max(marked_at, now() - SETTLING)
        reason = "it may have been dialled, so it is looked for"
        return Postponed(until=marked_at + SETTLING, reason=reason)

    async def _placed(self, reserved: Reserved, call_id: str, *, phone: str | None) -> Placed:
        placed = PlacedCall(
            recipient_id=reserved.situation.recipient.id,
            action_id=reserved.action.id,
            step_id=reserved.action.step_id,
            account_id=reserved.action.account_id,
            provider_id=call_id,
            phone=phone,
            placed_at=now(),
        )
        async with self._ledger.database.company_transaction(
            reserved.situation.recipient.company_id
        ) as connection:
            await store_placed(connection, placed)
        return Placed(provider_id=call_id, check_at=self._first_look(reserved))

    def _first_look(self, reserved: Reserved) -> datetime:
        return now() + (TOLD_WITHIN if self._lines.is_told(reserved) else FIRST_LOOK)

    async def _lines_are_busy(self, reserved: Reserved) -> bool:
        """Counted behind the mark, so that two who ask at once both see each other."""
        account = reserved.situation.account_with(reserved.action.account_id)
        if account.at_once is None:
            return False
        async with self._ledger.database.company_transaction(
            reserved.situation.recipient.company_id
        ) as connection:
            return await count_under_way(connection, account.id) > account.at_once


def _marked(reserved: Reserved, order: CallOrder, mark: str) -> Reserved:
    action = replace(
        reserved.action, draft_id=mark, thread_id=order.key, message_id=order.to, confirmed_at=now()
    )
    return replace(reserved, action=action)
