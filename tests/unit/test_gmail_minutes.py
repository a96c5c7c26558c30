"""What Google bears in a minute is kept where an account may do more; else it costs nothing."""

from typing import Any

import pytest

from shared.domain.channels import AccountKind
from shared.domain.pacing import GMAIL_A_MINUTE, limits_of
from tests.factories import NOON


@pytest.mark.parametrize(
    ("daily", "more", "is_kept"),
    [
        pytest.param(500, {}, True, id="a mailbox at its ceiling"),
        pytest.param(2_000, {"per_hour": 400}, True, id="more than that in an hour"),
        pytest.param(500, {"per_minute": 80}, True, id="more than that in a minute"),
        pytest.param(40, {}, False, id="cold mail never comes near it"),
        pytest.param(500, {"per_minute": 30}, False, id="a stricter limit of our own"),
        pytest.param(500, {"min_gap_seconds": 2}, False, id="a gap that is long enough"),
        pytest.param(500, {"min_gap_seconds": 1}, True, id="a gap that is too short"),
        pytest.param(None, {}, False, id="no limits at all, so nothing is counted"),
    ],
)
def test_gmails_minute_is_kept_where_it_can_be_passed(
    daily: int | None, more: dict[str, Any], *, is_kept: bool
) -> None:
    limits = limits_of(daily, more, begun_at=NOON, kind=AccountKind.GMAIL)

    minutes = [it for it in limits if (it.most, it.seconds) == (GMAIL_A_MINUTE, 60)]
    assert bool(minutes) is is_kept
    assert all("Google" in it.words for it in minutes)


def test_another_providers_mailbox_has_no_such_minute() -> None:
    limits = limits_of(500, begun_at=NOON, kind=AccountKind.SMTP)

    assert [it.seconds for it in limits] == [86_400]
