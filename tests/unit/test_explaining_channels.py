"""Explain speaks of calls, of what a person has to do, and of times at which nobody may call."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.channels import Channel
from shared.domain.explanation import explain
from shared.domain.recipient import ActivityName, HoldReason, UnderWay
from shared.domain.windows import Window
from tests.factories import NOON
from tests.unit.test_explaining_hours import MORNINGS
from tests.unit.test_recipient import ONE, STEPS, TWO, after

HOUR = timedelta(hours=1)
CALL = replace(ONE, channel=Channel.CALL, activity=ActivityName.BLAND_CALL)


def test_a_call_under_way_says_when_it_is_asked_for() -> None:
    progress = after(under_way=UnderWay(step_id=ONE.id, check_at=NOON + HOUR))

    assert explain(STEPS, progress, NOON).because == (
        "step 1 is under way: what came of it is asked for at 2026-03-02 13:00:00Z",
    )


def test_a_to_do_says_that_a_person_has_it() -> None:
    found = explain(STEPS, after(under_way=UnderWay(step_id=ONE.id, check_at=None)), NOON)

    assert found.because == ("step 1 is a person's to do: they say what came of it",)
    assert found.blocked_by == (str(HoldReason.TODO),)


def test_a_step_under_way_that_was_removed_is_named_as_such() -> None:
    found = explain((TWO,), after(under_way=UnderWay(step_id=ONE.id, check_at=None)), NOON)

    assert found.because[0].startswith("a step that was removed is a person's")


def test_nobody_is_called_at_night() -> None:
    progress = after(calling=Window(hours=MORNINGS))

    found = explain((CALL, TWO), progress, NOON)

    assert found.because[1:] == (
        "it is no time for a call where the lead is: it waits for 2026-03-03 08:00:00Z",
    )
    assert explain(STEPS, progress, NOON).because[1:] == ()
