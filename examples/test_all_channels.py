"""What a team promises of its campaign, checked in its own CI: no database, no Temporal, no mail.

pytest examples/test_all_channels.py
"""

from pathlib import Path

from deploy.rehearsing import outcome, rehearse_file, reply

CAMPAIGN = Path(__file__).with_name("all-channels.yaml")
ADA = "lead-1@example.com"


def test_a_reply_on_day_2_cancels_the_call() -> None:
    rehearsal = rehearse_file(CAMPAIGN, happenings=[reply(day=2)])

    assert rehearsal.ending_of(ADA) == "replied"
    assert "call" not in rehearsal.channels_of(ADA)


def test_who_accepts_the_invitation_gets_a_message_and_no_mail() -> None:
    rehearsal = rehearse_file(CAMPAIGN, happenings=[outcome("connected", step=1, day=3)])

    assert rehearsal.steps_of(ADA)[:2] == ["invite", "chat"]


def test_a_voicemail_is_followed_by_a_mail() -> None:
    rehearsal = rehearse_file(CAMPAIGN, happenings=[outcome("voicemail", step=4)])

    assert rehearsal.steps_of(ADA)[-1] == "after-voicemail"


def test_nobody_hears_of_us_at_the_weekend() -> None:
    rehearsal = rehearse_file(CAMPAIGN, leads=20)

    days = {at.weekday() for lead in range(1, 21) for at in rehearsal.dates_of(_lead(lead))}
    assert days <= {0, 1, 2, 3, 4}


def _lead(number: int) -> str:
    return f"lead-{number}@example.com"
