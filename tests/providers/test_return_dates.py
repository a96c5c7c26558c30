"""When people say to be back. It is Friday, 20 November 2026, noon."""

from datetime import UTC, datetime

import pytest

from shared.providers.return_dates import find_return

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def at(
    month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, *, year: int = 2026
) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # figures
        ("I will be back on 2026-11-23 09:15:30 UTC", at(11, 23, 9, 15, 30)),
        ("I am away. I will be back on 2026-11-23 at 09:15:30 UTC.", at(11, 23, 9, 15, 30)),
        ("back on 2026-11-23T09:15:30Z", at(11, 23, 9, 15, 30)),
        ("back on 2026-11-23T09:15:30.000+02:00", at(11, 23, 7, 15, 30)),
        ("Back 2026-11-23 09:15", at(11, 23, 9, 15)),
        ("I will be back on 2026-11-20 12:00:01 UTC", at(11, 20, 12, 0, 1)),
        ("I return 11/24/2026", at(11, 24)),
        ("out of office until 24/11/2026", at(11, 24)),
        ("Ich bin ab 24.11.2026 wieder erreichbar", at(11, 24)),
        ("ab dem 24.11. wieder im Büro", at(11, 24)),
        ("bis 24.11.26 nicht erreichbar", at(11, 24)),
        ("Am 24.11.2026 um 8:30 bin ich zurück", at(11, 24, 8, 30)),
        # words
        ("Out of office until Monday 23 November", at(11, 23)),
        ("I return on November 23rd, 2026 at 2:30 pm", at(11, 23, 14, 30)),
        ("until Nov. 23", at(11, 23)),
        ("back on the 2nd of January", at(1, 2, year=2027)),
        ("bis zum 3. Dezember", at(12, 3)),
        ("absent jusqu'au 1er décembre 2026", at(12, 1)),
        ("de retour le 24 novembre", at(11, 24)),
        ("hasta el 24 de noviembre de 2026", at(11, 24)),
        ("tornerò il 24 novembre", at(11, 24)),
        ("weer bereikbaar vanaf 24 november", at(11, 24)),
        # ranges and inclusive words
        ("I am out from 20 November to 27 November", at(11, 27)),
        ("vom 20.11. bis einschließlich 27.11.2026", at(11, 28)),
        ("on leave through 27 November", at(11, 28)),
        # days of the week
        ("I am back on Monday", at(11, 23)),
        ("until Friday", at(11, 27)),
        ("Ab Dienstag bin ich wieder da", at(11, 24)),
    ],
)
def test_a_return_is_read(text: str, expected: datetime) -> None:
    assert find_return(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I am out of office.",
        "I was back on 2026-11-19.",
        "back on 2026-02-31",
        "back on 2029-01-01",
        "Our fair is on 24 November.",
        "Ask Tom, he is there Monday.",
        "Call 555-23-24 until then",
        "back in version 1.2.3",
        "",
    ],
)
def test_what_is_no_return_is_none(text: str) -> None:
    assert find_return(text, NOW) is None


def test_other_dates_do_not_count() -> None:
    text = "I am back on 24 November. The fair takes place 12 December. Invoices: 30.11.2026."

    assert find_return(text, NOW) == at(11, 24)
