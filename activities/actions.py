"""Reserve, call, record: what every activity that reaches a lead has in common."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.begun import ending_of, is_another, is_given_up, later, taken_up
from activities.circuits import is_open, note_failure, note_success, take_probe
from activities.clock import now
from activities.errors import to_application_error
from activities.pacing import book, decide_anew, kept_slot, permit
from activities.results import (
    Abandoned,
    Call,
    Placed,
    Postponed,
    Reserved,
    Result,
    Sent,
    hash_of,
    settlement_of,
)
from shared.content import MissingVariable
from shared.contracts.recipient import ActionOrder, CloseOrder
from shared.db.models.recipients import DRY_RUN, ActionStatus
from shared.db.repositories.ledger import after, reserve_action, write_move
from shared.db.repositories.situation_rows import lock_situation
from shared.db.repositories.situations import Situation
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from shared.domain.moves import next_move
from shared.domain.recipient import EndReason, Finished, HoldReason, Outcome, Parked, Planned
from shared.domain.windows import whole_second
from shared.errors import (
    AccountRefused,
    AuthExpired,
    Misdefined,
    NotFound,
    RateLimited,
    Refused,
    Unavailable,
)
from shared.telemetry import ACTIONS

# A longer wait is an outcome and not a retry: in a long back-off nobody would hear a stop.
LONGEST_RETRY = timedelta(seconds=60)

_BLOCK_ACCOUNT = text(
    "update accounts set blocked_until = :until, block_reason = :reason where id = :id"
)
_CHECK_AT = text("update actions set check_at = :at where id = :id and status = 'placed'")
_TAKE_DOWN = text(
    "update accounts set status = 'needs_attention', status_reason = :reason"
    " where id = :id and status = 'active'"
)


class Ledger:
    """Does one step for one recipient, once, however often it is retried."""

    def __init__(self, *, database: Database, shelf: VersionShelf) -> None:
        self.database = database
        self._shelf = shelf

    async def act_once(self, order: ActionOrder, call: Call) -> Outcome:
        """Reserve the step, make the call, record the result, and answer what comes next."""
        try:
            reserved = await self._reserve(order)
        except NotFound:
            # The lead was erased: its rows went first.
            return Finished(reason=EndReason.REMOVED)
        if not isinstance(reserved, Reserved):
            return reserved

        result: Result
        if reserved.situation.is_dry_run:
            result = Sent(provider_id=DRY_RUN) if reserved.is_wanted else Abandoned()
            return await self.record(order, reserved, result)
        try:
            result = await call(reserved)
        except RateLimited as limit:
            if limit.retry_after is None or limit.retry_after <= LONGEST_RETRY:
                raise to_application_error(limit) from None
            result = limit
        except (MissingVariable, Misdefined, Refused, AuthExpired, AccountRefused) as refusal:
            result = refusal
        except Unavailable as error:
            if (postponed := await self._note_failure(reserved, error)) is None:
                raise
            result = postponed
        return await self.record(order, reserved, result)

    async def _note_failure(self, reserved: Reserved, error: Unavailable) -> Postponed | None:
        """None: worth another try soon."""
        if reserved.action.account_id is None:
            return None
        account = reserved.situation.account_with(reserved.action.account_id)
        company_id = reserved.situation.recipient.company_id
        until = await note_failure(self.database, company_id, account, reason=str(error), now=now())
        return Postponed(until=until, reason="its account is left alone") if until else None

    async def plan(self, order: ActionOrder) -> Outcome:
        """Look at the rows again and say what comes next."""
        try:
            async with self._locked(order) as (connection, situation):
                outcome, slot = await book(connection, situation, decide_anew(situation))
                await write_move(connection, situation, outcome, now=now(), slot=slot)
                return outcome
        except NotFound:
            return Finished(reason=EndReason.REMOVED)

    async def close(self, order: CloseOrder) -> EndReason:
        """Write down that the recipient is over; answers the reason that stays."""
        async with self._locked(order) as (connection, situation):
            stays = EndReason(situation.recipient.end_reason or order.reason)
            await write_move(connection, situation, Finished(reason=stays), now=now())
            return stays

    async def find_begun(self, order: ActionOrder) -> Reserved | None:
        """The action that an earlier attempt left open, if there is one."""
        async with self._locked(order, with_content=True) as (_, situation):
            begun = situation.open_action
            if begun is None:
                return None
            is_wanted = not is_given_up(decide(situation), begun)
            return taken_up(situation, begun, is_wanted=is_wanted)

    async def record(self, order: ActionOrder, reserved: Reserved, result: Result) -> Outcome:
        """Write down what came of a call, and answer what comes next."""
        try:
            async with self._locked(order) as (connection, situation):
                return await self._settle(connection, situation, reserved, result)
        except NotFound:
            return Finished(reason=EndReason.REMOVED)

    @asynccontextmanager
    async def _locked(
        self, order: ActionOrder | CloseOrder, *, with_content: bool = False
    ) -> AsyncIterator[tuple[AsyncConnection, Situation]]:
        """A transaction that holds the recipient. The lock itself enters the company."""
        async with self.database.outside_transaction() as connection:
            yield (
                connection,
                await lock_situation(
                    connection,
                    order.company_id,
                    order.recipient_id,
                    self._shelf,
                    with_content=with_content,
                ),
            )

    async def _reserve(self, order: ActionOrder) -> Reserved | Outcome:
        """Take the step, unless by now the rows ask for something else than the order."""
        async with self._locked(order, with_content=True) as (connection, situation):
            outcome = decide(situation)
            begun = situation.open_action
            # First, also when the next step is due already: it would be taken for this one.
            if begun and is_given_up(outcome, begun):
                if not is_another(begun, order):
                    return taken_up(situation, begun, is_wanted=False)
                outcome = ending_of(begun)
                await write_move(connection, situation, outcome, now=now())
                return outcome
            slot = kept_slot(situation, outcome)
            if _is_due(outcome, order):
                outcome, slot = await permit(connection, situation, outcome)
            account = situation.account_for(order.step_id)
            if isinstance(outcome, Planned) and _is_due(outcome, order):
                if account is None or not is_open(account):
                    return await self._take(connection, situation, outcome)
                outcome = await take_probe(connection, account, outcome, now())
                if _is_due(outcome, order):
                    return await self._take(connection, situation, outcome)
            await write_move(connection, situation, outcome, now=now(), slot=slot)
            return outcome

    async def _take(
        self, connection: AsyncConnection, situation: Situation, plan: Planned
    ) -> Reserved:
        step_id = plan.step_id
        assert step_id is not None  # noqa: S101 - a plan that is due for an order names its step
        if situation.open_action:
            return taken_up(situation, situation.open_action, is_wanted=True)
        position = next(s.position for s in situation.steps if s.id == step_id)
        content_hash = hash_of(situation, step_id)
        action = await reserve_action(
            connection, situation, plan, content_hash=content_hash, now=now()
        )
        return Reserved(situation=situation, action=action, step_position=position)

    async def _settle(
        self, connection: AsyncConnection, situation: Situation, reserved: Reserved, result: Result
    ) -> Outcome:
        settlement, slot = settlement_of(reserved, result, situation), None
        if isinstance(result, Sent | Placed) and reserved.action.account_id:
            await note_success(connection, situation.account_with(reserved.action.account_id))
        if isinstance(result, RateLimited | AuthExpired | AccountRefused):
            outcome = await self._hold(connection, reserved, situation, result)
        elif isinstance(result, Postponed):
            outcome = await self._postpone(connection, reserved, situation, result)
        elif settlement is None:
            outcome = decide(situation)
        else:
            settled = after(situation, settlement, now())
            outcome, slot = await book(connection, settled, decide(settled))
            if isinstance(result, Refused) and not isinstance(outcome, Finished):
                outcome = Finished(reason=EndReason.REFUSED)
            if isinstance(result, MissingVariable) and not isinstance(outcome, Finished):
                outcome = Parked(reason=HoldReason.CONTENT)
            if isinstance(result, Misdefined) and not isinstance(outcome, Finished):
                outcome = Parked(reason=HoldReason.STEP)
        await write_move(
            connection, situation, outcome, now=now(), settlement=settlement, slot=slot
        )
        ACTIONS.labels(outcome=type(result).__name__).inc()
        return outcome

    async def _postpone(
        self,
        connection: AsyncConnection,
        reserved: Reserved,
        situation: Situation,
        result: Postponed,
    ) -> Outcome:
        """The same step later, unless it is over by now."""
        until = whole_second(result.until)
        if reserved.action.status is ActionStatus.PLACED:
            await connection.execute(_CHECK_AT, {"id": reserved.action.id, "at": until})
        move, begun = decide(situation), situation.open_action
        if begun and is_given_up(move, begun):
            return later(begun, move, result)
        if not isinstance(move, Planned) or move.step_id != reserved.action.step_id:
            return move
        label = f"{move.label}: {result.reason}"
        at = until if reserved.action.status is ActionStatus.PLACED else max(move.at, until)
        return Planned(activity=move.activity, step_id=move.step_id, at=at, label=label)

    async def _hold(
        self, connection: AsyncConnection, reserved: Reserved, situation: Situation, result: Result
    ) -> Outcome:
        """The account cannot do it now: say so on the account, and keep the action for later."""
        account_id = reserved.action.account_id
        if isinstance(result, RateLimited) and result.retry_after:
            until = now() + result.retry_after
            asked = {"id": account_id, "until": until, "reason": "its provider asked to wait"}
            await connection.execute(_BLOCK_ACCOUNT, asked)
            move = decide(situation)
            if isinstance(move, Planned):
                label = f"{move.label}: the provider asked to wait"
                at = max(move.at, whole_second(until))
                return Planned(activity=move.activity, step_id=move.step_id, at=at, label=label)
            return move
        if account_id is not None:
            await take_down(connection, account_id, reason=str(result))
        move = decide(situation)
        return move if isinstance(move, Finished) else Parked(reason=HoldReason.ACCOUNT_DOWN)


def decide(situation: Situation) -> Outcome:
    return next_move(situation.steps, situation.to_progress(now()), now())


async def take_down(connection: AsyncConnection, account_id: UUID, *, reason: str) -> None:
    """A person has to look at this account."""
    await connection.execute(_TAKE_DOWN, {"id": account_id, "reason": reason})


def _is_due(outcome: Outcome, order: ActionOrder) -> bool:
    return (
        isinstance(outcome, Planned)
        and outcome.activity is order.activity
        and outcome.step_id == order.step_id
        and outcome.at <= now()
    )
