"""A step that somebody wants at once."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.channels import Channel
from shared.domain.explanation import explain
from shared.domain.moves import next_move
from shared.domain.recipient import (
    EndReason,
    Finished,
    HoldReason,
    Outcome,
    Parked,
    Planned,
    Progress,
    Station,
)
from tests.factories import NOON
from tests.unit.test_recipient import LATER, ONE, STEPS, TWO, after


@pytest.mark.parametrize(
    ("progress", "at"),
    [
        pytest.param(after(ONE, hurried_step_id=TWO.id, hurried_at=NOON), NOON, id="no wait"),
        pytest.param(
            after(ONE, hurried_step_id=TWO.id, hurried_at=NOON, not_before=LATER),
            LATER,
            id="but not while the lead is away",
        ),
        pytest.param(
            after(
                ONE,
                hurried_step_id=TWO.id,
                hurried_at=NOON,
                stations={Channel.EMAIL: Station(free_at=LATER)},
            ),
            LATER,
            id="nor before the account may",
        ),
        pytest.param(
            after(ONE, hurried_step_id=ONE.id, hurried_at=NOON),
            NOON + timedelta(days=3),
            id="a step that is done hurries no other",
        ),
        pytest.param(
            after(ONE, hurried_step_id=TWO.id, hurried_at=NOON + timedelta(days=9)),
            NOON + timedelta(days=3),
            id="never later than it was due",
        ),
    ],
)
def test_a_hurried_step_leaves_out_its_wait_and_nothing_else(
    progress: Progress, at: datetime
) -> None:
    move = next_move(STEPS, progress, NOON)

    assert isinstance(move, Planned)
    assert (move.step_id, move.at) == (TWO.id, at)


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        pytest.param(
            {"ended": EndReason.SUPPRESSED}, Finished(reason=EndReason.SUPPRESSED), id="suppressed"
        ),
        pytest.param(
            {"held": HoldReason.CAMPAIGN_PAUSED},
            Parked(reason=HoldReason.CAMPAIGN_PAUSED),
            id="paused",
        ),
    ],
)
def test_hurry_does_not_get_past_a_stop(more: dict[str, Any], outcome: Outcome) -> None:
    progress = after(ONE, hurried_step_id=TWO.id, hurried_at=NOON, **more)

    assert next_move(STEPS, progress, NOON) == outcome


def test_explain_says_that_somebody_asked_for_it() -> None:
    explanation = explain(STEPS, after(ONE, hurried_step_id=TWO.id, hurried_at=NOON), NOON)

    assert explanation.because == ("step 2 was asked for at once (2026-03-02 12:00:00Z)",)
