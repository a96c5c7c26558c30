"""What a rehearsal tells: who is never reached, what moves steps, the same bytes twice."""

import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.calendar import Calendar
from shared.domain.channels import AccountKind, Channel
from shared.domain.pacing import limits_of
from shared.domain.recipient import ActivityName, Step
from shared.domain.rehearsal import Story
from shared.domain.rehearsal_diary import Diary, Sender
from shared.domain.rehearsal_people import Rates
from shared.domain.rehearsal_report import report_of
from shared.domain.slots import Book, Booking, Wish, holds_for, next_slot
from shared.domain.windows import Window, read_hours
from tests.factories import NOON
from tests.unit.playing import (
    DAY,
    HOME,
    LINE,
    MAILBOX,
    MAILS,
    OFFICE,
    WORKDAYS,
    people,
    play,
    steps,
    told,
)


def test_too_many_bounces_pause_the_account_and_the_report_says_who_is_never_reached() -> None:
    limited = Sender(
        id=UUID(int=1), name="sam", kind=AccountKind.GMAIL, limits=limits_of(20, begun_at=NOON)
    )
    report = report_of(play(60, by=[limited], rates=Rates(bounce=0.3)))

    assert 20 <= len(report["never_reached"]) <= 40
    assert "account needs attention" in report["never_reached"][0]["why"]
    assert any("are never reached" in problem for problem in report["problems"])


def test_without_a_mailbox_nobody_is_reached() -> None:
    report = report_of(play(3, by=[]))

    assert [it["why"] for it in report["never_reached"]] == ["no account is connected"] * 3
    assert report["actions"] == 0


def test_who_may_not_be_contacted_is_not() -> None:
    report = report_of(play(who=people(1, flaw="it must not be contacted any more")))

    assert report["never_reached"] == [
        {"lead": "lead-0", "why": "it must not be contacted any more"}
    ]


def test_who_has_no_address_in_a_channel_goes_on_without_it() -> None:
    who = people(1, denied={Channel.CALL: "The lead has no phone number"})
    story = play(of=steps(Channel.CALL, Channel.EMAIL), by=[MAILBOX, LINE], who=who)

    assert [what for what, _ in told(story)] == ["refused", "sent"]


def test_weekends_holidays_and_clocks_show_in_the_report() -> None:
    place = Calendar(zone=ZoneInfo("Europe/Berlin"), holidays=frozenset({date(2026, 4, 3)}))
    hours = read_hours({day: ["09:00-17:00"] for day in WORKDAYS})
    window = Window(hours=hours, calendar=place)
    # From Monday, 2 March: day 33 is Good Friday, and clocks go forward on 29 March.
    wait = Step(
        id=UUID(int=102), position=2, activity=ActivityName.GMAIL_SEND, wait_seconds=32 * 86_400
    )
    story = play(of=(MAILS[0], wait), who=people(1, calendar=place, window=window))
    report = report_of(story)

    assert [line["local"] for line in report["schedule"]] == [
        "Mon 2026-03-02 13:00:00+0100",
        "Mon 2026-04-06 09:00:00+0200",
    ]
    assert [(it["why"], it["times"]) for it in report["closed"]] == [("a public holiday", 1)]
    assert report["clock_changes"] == [
        {"zone": "Europe/Berlin", "at": "2026-03-29T01:00:00Z", "by_seconds": 3_600, "people": 1}
    ]
    assert report["ends_at"] == "2026-04-06T07:00:00Z"


RATES = Rates(reply=0.2, out_of_office=0.2, bounce=0.02, unsubscribe=0.05, open=0.4, click=0.2)


def told_whole(seed: int) -> bytes:
    window = Window(hours=OFFICE.hours, spread_seconds=3_600)
    more = {"min_gap_seconds": 60, "gap_jitter_seconds": 60}
    sender = Sender(
        id=UUID(int=1),
        name="sam",
        kind=AccountKind.GMAIL,
        limits=limits_of(20, more, begun_at=NOON),
    )
    story = play(60, by=[sender], who=people(60, window=window), rates=RATES, seed=seed)
    return json.dumps(report_of(story)).encode()


def test_a_seed_gives_the_same_bytes_twice_and_another_seed_other_people() -> None:
    assert told_whole(7) == told_whole(7)
    assert told_whole(7) != told_whole(8)


def test_an_edit_of_a_later_step_changes_nobody_who_answered_before() -> None:
    longer = play(40, rates=Rates(reply=0.4), of=(*MAILS, steps(*[Channel.EMAIL] * 4)[3]))
    shorter = play(40, rates=Rates(reply=0.4))

    def answered_first(story: Story) -> set[int]:
        return {it.place for it in story.log.entries if it.what == "reply" and it.at < NOON + DAY}

    assert answered_first(longer) == answered_first(shorter) != set()


seconds = st.integers(0, 400).map(lambda number: NOON + timedelta(seconds=number))
bookings = st.lists(st.tuples(seconds, st.booleans()), max_size=20)


@settings(max_examples=150, deadline=None)
@given(
    done=st.lists(seconds, max_size=10),
    booked=bookings,
    earliest=seconds,
    is_first=st.booleans(),
    gap=st.integers(1, 90),
)
def test_a_diary_answers_as_the_accounts_book_does(
    done: list[datetime],
    booked: list[tuple[datetime, bool]],
    earliest: datetime,
    is_first: bool,
    gap: int,
) -> None:
    more = {"per_minute": 3, "min_gap_seconds": gap, "gap_jitter_seconds": 40}
    limits = limits_of(15, more, begun_at=NOON)
    sender = Sender(id=HOME, name="sam", kind=AccountKind.GMAIL, limits=limits)
    [diary], book = sender.diaries(), Book(done=sorted(done))
    assert isinstance(diary, Diary)
    for at in done:
        diary.do(at)
    for at, first in booked:
        diary.book(at, is_first=first)
        book.add(Booking(at=at, campaign_id=HOME, is_first=first))
    # Booked by somebody who has ended since.
    diary.book(NOON, is_first=True)
    diary.free(NOON, is_first=True)
    wish = Wish(campaign_id=HOME, is_first=is_first, seed="somebody")

    expected = next_slot(earliest, holds_for(wish, book, limits))
    assert next_slot(earliest, diary.holds_for(wish)) == expected


def test_the_report_counts_what_an_account_does_on_each_day() -> None:
    report = report_of(play(2))

    assert report["accounts"] == [
        {
            "account": "sam@acme.test",
            "actions": 6,
            "days": {"2026-03-02": 2, "2026-03-05": 2, "2026-03-08": 2},
        }
    ]
    assert report["outcomes"] == {"completed": 2}
    assert datetime.fromisoformat(report["begins_at"]) == NOON.astimezone(UTC)


def test_who_lacks_a_variable_waits_for_it_for_ever_and_the_report_says_so() -> None:
    report = report_of(play(who=people(1, gaps={MAILS[1].id: "lead.city"})))

    assert report["outcomes"] == {"open": 1}
    assert report["unfinished"] == [
        {"lead": "lead-0", "why": "a template variable has no value: lead.city"}
    ]
