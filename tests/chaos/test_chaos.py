"""Chaos finds nothing in the ledger as it is, and catches one that is broken on purpose."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from activities.gmail import GmailActivities
from activities.results import Abandoned, Reserved, Sent, Unconfirmed
from deploy.chaos.faults import KINDS, REAL, Fault, draw_plan
from deploy.chaos.runs import ChaosReport, play
from deploy.local.postgres import Postgres
from shared.db.repositories.ledger import Kept
from shared.db.repositories.situations import Action
from shared.providers.gmail import GmailClient
from workflows.parts import Parts, make_parts

RUNS = 64
SEED = 7

_KEEP = text(
    "update actions set draft_id = :draft_id, thread_id = :thread_id,"
    " confirmed_at = clock_timestamp() where id = :id"
)


def quiet(_: str) -> None:
    """Nobody watches."""


async def test_nothing_is_sent_twice_or_lost_whatever_breaks(postgres: Postgres) -> None:
    report = await play(range(RUNS), postgres, seed=SEED, say=quiet)

    assert [(f.run, f.remarks, f.story) for f in report.failures] == []
    assert report.is_clean
    assert report.runs == RUNS
    assert report.sent > RUNS / 2
    assert set(report.to_json()["faults"]) == set(Fault)


async def test_who_does_not_look_before_a_retry_is_caught(postgres: Postgres) -> None:
    runs = _runs_with(Fault.SEND_ANSWER_LOST)

    report = await play(runs, postgres, seed=SEED, say=quiet, parts_of=_with(Forgetful))

    assert report.duplicates > 0
    assert not report.is_clean
    assert report.failures[0].story


async def test_who_does_not_read_again_before_the_send_is_caught(postgres: Postgres) -> None:
    runs = _runs_with(Fault.REPLIED, Fault.UNSUBSCRIBED, Fault.BOUNCED)

    report = await play(runs, postgres, seed=SEED, say=quiet, parts_of=_with(Careless))

    assert report.sent_after_stop > 0
    assert not report.is_clean


async def test_a_run_can_be_played_again(postgres: Postgres) -> None:
    report = await play([17], postgres, seed=SEED, say=quiet)

    assert report.runs == 1
    assert report.is_clean


def test_the_same_seed_draws_the_same_plan() -> None:
    assert draw_plan(3, 5) == draw_plan(3, 5)
    assert draw_plan(3, 5) != draw_plan(4, 5)


def test_every_kind_of_fault_comes_up_in_few_runs() -> None:
    plans = [draw_plan(SEED, run) for run in range(len(KINDS))]

    assert {plan.injections[0].fault for plan in plans} == set(Fault) - REAL


@pytest.mark.parametrize(
    "field", ["duplicates", "lost", "sent_after_stop", "orphans", "unconfirmed"]
)
def test_a_single_broken_promise_is_enough(field: str) -> None:
    report = ChaosReport(seed=1)
    assert report.is_clean
    setattr(report, field, 1)
    assert not report.is_clean


class Forgetful(GmailActivities):
    """Takes every retry for the first attempt."""

    async def _look_first(
        self, client: GmailClient, reserved: Reserved, draft_id: str
    ) -> Sent | Abandoned | Unconfirmed | None:
        if not reserved.is_wanted:
            return await super()._look_first(client, reserved, draft_id)
        await self._forget_draft(reserved, draft_id)
        return None


class Careless(GmailActivities):
    """Sends what it has drafted, whatever came in between."""

    async def _keep(
        self, reserved: Reserved, draft_id: str, thread_id: str, earlier: Action | None = None
    ) -> Kept | None:
        kept = {"id": reserved.action.id, "draft_id": draft_id, "thread_id": thread_id}
        company_id = reserved.account.company_id
        async with self._ledger.database.company_transaction(company_id) as connection:
            await connection.execute(_KEEP, kept)
        return Kept(draft_id=draft_id, thread_id=thread_id)


def _with(broken: type[GmailActivities]) -> Callable[..., Parts]:
    def parts_of(**wired: Any) -> Parts:
        parts = make_parts(**wired)
        parts.gmail.__class__ = broken
        return parts

    return parts_of


def _runs_with(*faults: Fault) -> list[int]:
    """The runs in which one of these comes first, out of many, as a whole number of groups."""
    numbers = [run for run in range(1_000) if KINDS[run % len(KINDS)] in faults]
    return numbers[: RUNS // 2]
