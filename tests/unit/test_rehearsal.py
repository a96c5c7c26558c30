"""A campaign played forward: who is reached when, and by which step."""

from uuid import UUID

import pytest

from shared.domain.branches import Guard, OutcomeIs, StepOutcome
from shared.domain.channels import AccountKind, Channel
from shared.domain.inbound import InboundKind
from shared.domain.pacing import limits_of
from shared.domain.recipient import EndReason
from shared.domain.rehearsal_diary import Sender
from shared.domain.rehearsal_people import Happening
from shared.domain.rehearsal_report import report_of
from tests.factories import NOON
from tests.unit.playing import DAY, HOME, HOUR, LINE, MAILBOX, play, steps, told


def test_silence_gets_every_mail() -> None:
    story = play()

    assert told(story) == [("sent", 0 * DAY), ("sent", 3 * DAY), ("sent", 6 * DAY)]
    assert story.lives[0].ended is EndReason.COMPLETED


def test_a_reply_on_day_two_cancels_the_call() -> None:
    reply = Happening(kind=InboundKind.REPLY, after_seconds=2 * 86_400, name="lead-0")
    story = play(2, of=steps(Channel.EMAIL, Channel.CALL), by=[MAILBOX, LINE], happenings=[reply])

    called = {story.lives[it.place].person.name for it in story.log.entries if it.what == "called"}
    assert called == {"lead-1"}
    assert sorted(str(life.ended) for life in story.lives) == ["completed", "replied"]


def test_who_is_out_of_office_is_waited_for() -> None:
    away = Happening(
        kind=InboundKind.AUTO_REPLY, after_seconds=3_600, away_seconds=10 * 86_400, step=1
    )
    story = play(happenings=[away])

    assert [at for what, at in told(story) if what == "sent"] == [
        0 * DAY,
        10 * DAY + HOUR,
        13 * DAY + HOUR,
    ]


@pytest.mark.parametrize(
    ("outcome", "then"),
    [
        pytest.param(StepOutcome.ANSWERED, [1, 2], id="who answers gets the mail for it"),
        pytest.param(StepOutcome.VOICEMAIL, [1, 3], id="all others get the other one"),
    ],
)
def test_what_comes_of_a_call_decides(outcome: StepOutcome, then: list[int]) -> None:
    asked = OutcomeIs(step_id=UUID(int=101), outcome=StepOutcome.ANSWERED)
    sides = {
        place: (Guard(decision_id=HOME, condition=asked, is_met=place == 2),) for place in (2, 3)
    }
    called = Happening(outcome=outcome, after_seconds=240, step=1)
    story = play(
        of=steps(Channel.CALL, Channel.EMAIL, Channel.EMAIL, guards=sides),
        by=[MAILBOX, LINE],
        happenings=[called],
    )

    assert [it.step for it in story.log.entries if it.what in {"called", "sent"}] == then
    # A call of four minutes is over in time, so the wait behind it counts from its plan.
    assert story.log.entries[-1].at == NOON + 3 * DAY


def test_a_decision_waits_as_long_as_it_may() -> None:
    opened = OutcomeIs(step_id=UUID(int=101), outcome=StepOutcome.OPENED, within_seconds=2 * 86_400)
    sides = {2: (Guard(decision_id=HOME, condition=opened, is_met=False),)}
    campaign = steps(Channel.EMAIL, Channel.EMAIL, days=1, guards=sides)
    late = Happening(outcome=StepOutcome.OPENED, after_seconds=3 * 86_400 - 1, step=1)
    early = Happening(outcome=StepOutcome.OPENED, after_seconds=3_600, step=1)

    assert told(play(of=campaign, happenings=[late]))[-1] == ("sent", 3 * DAY)
    assert told(play(of=campaign, happenings=[early])) == [("sent", 0 * DAY), ("opened", HOUR)]


def test_without_a_linkedin_account_a_person_does_it() -> None:
    story = play(of=steps(Channel.LINKEDIN_CONNECTION, Channel.EMAIL))

    assert [what for what, _ in told(story)] == ["to do", "done", "sent"]
    assert told(story)[2][1] - told(story)[1][1] == 3 * DAY


def test_first_mails_are_booked_three_days_ahead_and_follow_ups_go_before_them() -> None:
    sender = Sender(
        id=UUID(int=1), name="sam", kind=AccountKind.GMAIL, limits=limits_of(2, begun_at=NOON)
    )
    story = play(12, by=[sender])

    days = [(entry.at - NOON) // DAY for entry in story.log.entries]
    assert all(days.count(day) <= 2 for day in set(days))
    # Six begin in three days; from the third on the follow-ups have the whole day.
    first = [(entry.at - NOON) // DAY for entry in story.log.entries if entry.step == 1]
    assert first[:6] == [0, 0, 1, 1, 2, 2]
    assert first[6] > 3
    assert len(story.log.entries) == 36
    [(desk, words)] = story.log.collisions
    assert (desk.sender, words) == (sender, "the account's 2 a day")


def test_new_leads_per_day_are_no_more_than_the_campaign_wants() -> None:
    story = play(7, new_leads_per_day=3)

    begun = [(life.started_at - NOON) // DAY for life in story.lives if life.started_at]
    assert sorted(begun) == [0, 0, 0, 1, 1, 1, 2]


def test_accounts_take_turns() -> None:
    second = Sender(id=UUID(int=3), name="sue", kind=AccountKind.GMAIL)
    report = report_of(play(10, by=[MAILBOX, second]))

    assert [account["actions"] for account in report["accounts"]] == [15, 15]
