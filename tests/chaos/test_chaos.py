"""Chaos finds nothing in the ledger as it is, and catches one that is broken on purpose."""

import pytest

from deploy.chaos.faults import REAL, Fault, Place
from deploy.chaos.plans import KINDS, draw_plan
from deploy.chaos.runs import ChaosReport, play
from deploy.chaos.workers import PartsOf
from deploy.local.postgres import Postgres
from shared.domain.channels import Channel
from tests.chaos.broken import Careless, Forgetful, Hasty, Hopeful, parts_that_write, parts_with

RUNS, FEW = 40, 16
SEED = 7


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

    report = await play(
        runs, postgres, seed=SEED, say=quiet, parts_of=parts_with(Forgetful, "gmail")
    )

    assert report.duplicates > 0
    assert not report.is_clean
    assert report.failures[0].story


async def test_who_does_not_read_again_before_the_send_is_caught(postgres: Postgres) -> None:
    runs = _runs_with(Fault.REPLIED, Fault.UNSUBSCRIBED, Fault.BOUNCED)

    report = await play(
        runs, postgres, seed=SEED, say=quiet, parts_of=parts_with(Careless, "gmail")
    )

    assert report.sent_after_stop > 0
    assert not report.is_clean


async def test_who_counts_a_mail_as_sent_that_nobody_knows_of_is_caught(postgres: Postgres) -> None:
    runs = _runs_with(Fault.RESET_BEFORE_ACTING, place=Place.SMTP)

    report = await play(runs, postgres, seed=SEED, say=quiet, parts_of=parts_with(Hopeful, "smtp"))

    assert report.lost > 0
    assert not report.is_clean


@pytest.mark.parametrize(
    ("place", "parts_of", "channel"),
    [
        pytest.param(Place.BLAND, parts_with(Hasty, "bland"), Channel.CALL, id="a call"),
        pytest.param(Place.LINKEDIN, parts_that_write, Channel.LINKEDIN_MESSAGE, id="a message"),
    ],
)
async def test_who_repeats_by_another_channel_is_caught(
    postgres: Postgres, place: Place, parts_of: PartsOf, channel: Channel
) -> None:
    """A second invitation is refused by LinkedIn itself, so there is nothing to catch."""
    runs = _runs_with(Fault.TIMEOUT_AFTER_ACTING, Fault.RESET_AFTER_ACTING, place=place)

    report = await play(runs, postgres, seed=SEED, say=quiet, parts_of=parts_of)

    assert report.twice_by_channel[channel] > 0
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
    for place in Place:
        assert any(plan.injections[0].place is place for plan in plans)


@pytest.mark.parametrize(
    "field", ["duplicates", "lost", "sent_after_stop", "orphans", "unconfirmed"]
)
def test_a_single_broken_promise_is_enough(field: str) -> None:
    report = ChaosReport(seed=1)
    assert report.is_clean
    setattr(report, field, 1)
    assert not report.is_clean


def _runs_with(*faults: Fault, place: Place = Place.GMAIL) -> list[int]:
    """The runs in which one of these comes first, out of many, as a whole number of groups."""
    wanted = {(fault, where) for fault in faults for where in (None, place)}
    numbers = [run for run in range(2_000) if KINDS[run % len(KINDS)] in wanted]
    return numbers[:FEW]
