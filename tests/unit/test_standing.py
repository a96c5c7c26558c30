"""Why nothing is being sent: each thing that can hold a campaign or an account is named."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.pacing import limits_of
from shared.domain.recipient import HoldReason
from shared.domain.slots import Book, Booking
from shared.domain.standing import (
    Course,
    Crowd,
    Post,
    Usage,
    standing_of_account,
    standing_of_campaign,
    usage_of,
)
from tests.factories import NOON
from tests.unit.playing import HOME

HOUR = timedelta(hours=1)
FULL = Usage(words="the account's 40 a day", used=40, most=40, free_at=NOON + HOUR)
SAM = Post(name="sam", usage=(FULL,))


def campaign(
    crowd: Crowd | None = None, post: Post | None = SAM, **course: Any
) -> tuple[str, str, str]:
    crowd = crowd or Crowd(planned=3)
    found = standing_of_campaign(Course(**course), crowd, [post] if post else [], NOON)
    return found.state, "\n".join(found.because), "\n".join(found.blocked_by)


@pytest.mark.parametrize(
    ("course", "crowd", "state", "words"),
    [
        pytest.param({}, Crowd(planned=3), "planned", "3 have a plan", id="plans"),
        pytest.param(
            {}, Crowd(pending=9), "pending", "booked three days ahead at most", id="no room"
        ),
        pytest.param(
            {"new_leads_per_day": 4},
            Crowd(pending=9, planned=1, begun_today=4),
            "planned",
            "4 of 4 new leads a day have begun",
            id="enough for today",
        ),
        pytest.param(
            {"is_called_off": True}, Crowd(pending=9), "pending", "called off", id="called off"
        ),
        pytest.param(
            {"opens_at": NOON + HOUR},
            Crowd(planned=1),
            "planned",
            "no step is due before 2026-03-02 13:00:00Z",
            id="it begins later",
        ),
        pytest.param({"is_over": True}, Crowd(), "finished", "is completed", id="over"),
        pytest.param({}, Crowd(ended=5), "finished", "nobody is left", id="all have ended"),
        pytest.param({}, Crowd(), "finished", "nobody is in it yet", id="nobody"),
        pytest.param({}, Crowd(planned=1, calling=1), "planned", "1 are being called", id="a call"),
    ],
)
def test_a_campaign_says_how_it_stands(
    course: dict[str, Any], crowd: Crowd, state: str, words: str
) -> None:
    found = campaign(crowd, **course)

    assert found[0] == state
    assert words in found[1]


def test_a_full_account_says_when_there_is_room() -> None:
    assert (
        "sam: 40 of 40 are used (the account's 40 a day), the next at 2026-03-02 13:00:00Z"
        in (campaign()[1])
    )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        pytest.param({"held": HoldReason.CAMPAIGN_PAUSED}, "campaign is paused", id="paused"),
        pytest.param(
            {"post": None, "lacks": (HoldReason.NO_ACCOUNT,)},
            "no account is connected",
            id="no account",
        ),
        pytest.param(
            {"post": Post(name="sam", is_active=False, trouble="9 of 100 mails bounced")},
            "sam: account needs attention: 9 of 100 mails bounced",
            id="an account is down",
        ),
        pytest.param(
            {"post": Post(name="sam", blocked_until=NOON + HOUR, why="Gmail is down")},
            "sam: it is left alone until 2026-03-02 13:00:00Z: Gmail is down",
            id="an open circuit",
        ),
        pytest.param(
            {"crowd": Crowd(parked={HoldReason.TODO: 2})},
            "2 are held: a person has this step to do",
            id="to-dos",
        ),
    ],
)
def test_whatever_somebody_can_change_is_named(more: dict[str, Any], words: str) -> None:
    assert words in campaign(**more)[2]


def test_the_launcher_starts_those_whom_nothing_holds() -> None:
    assert "a page at a time" in campaign(Crowd(pending=1), Post(name="sam"))[1]
    assert "page" not in campaign(Crowd(pending=1), held=HoldReason.CAMPAIGN_PAUSED)[1]


def test_an_account_says_what_it_has_done_and_who_waits() -> None:
    found = standing_of_account(SAM, Crowd(parked={HoldReason.ACCOUNT_DOWN: 4}), NOON)

    assert found.state == "parked"
    assert found.because == (
        "4 wait for it: 4 are held",
        "40 of 40 are used (the account's 40 a day), the next at 2026-03-02 13:00:00Z",
    )
    assert found.blocked_by == ("4 are held: account needs attention",)


def test_what_is_used_is_what_was_done_and_follow_ups_have_their_place() -> None:
    [limit] = limits_of(2, begun_at=NOON)
    soon = Booking(at=NOON + HOUR, campaign_id=HOME, is_first=False)
    first = Booking(at=NOON + HOUR, campaign_id=HOME, is_first=True)
    long_ago = NOON - 25 * HOUR

    assert usage_of(limit, Book(done=[long_ago], booked=[first, first]), NOON) == Usage(
        words="the account's 2 a day", used=0, most=2, free_at=NOON
    )
    held = usage_of(limit, Book(done=[NOON - HOUR], booked=[soon]), NOON)
    assert (held.used, held.free_at) == (1, NOON + 23 * HOUR)
    assert held.is_full(NOON)
