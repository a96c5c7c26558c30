"""What comes back has the effect that its kind says, and no other."""

import pytest

from shared.domain.inbound import Effect, InboundKind, effect_of
from shared.domain.leads import LeadStatus
from shared.domain.recipient import EndReason

SUPPRESSING = {
    InboundKind.BOUNCE,
    InboundKind.UNSUBSCRIBE,
    InboundKind.COMPLAINT,
    InboundKind.DO_NOT_CALL,
}
ENDING = SUPPRESSING | {InboundKind.REPLY, InboundKind.MEETING_BOOKED}
WAKING = {InboundKind.AUTO_REPLY, InboundKind.ACCEPTED, InboundKind.CALL_ENDED}


@pytest.mark.parametrize("kind", InboundKind)
def test_a_kind_ends_wakes_or_changes_nothing(kind: InboundKind) -> None:
    effect = effect_of(kind)

    assert (effect.ends is not None, effect.wakes) == (kind in ENDING, kind in WAKING)
    assert effect.suppresses is (kind in SUPPRESSING)


@pytest.mark.parametrize(("count", "ends"), [(1, False), (2, False), (3, True), (4, True)])
def test_the_third_soft_bounce_ends_and_forbids_nothing(count: int, *, ends: bool) -> None:
    worn_out = Effect(ends=EndReason.BOUNCED, lead_status=LeadStatus.BOUNCED)

    assert effect_of(InboundKind.SOFT_BOUNCE, soft_bounces=count) == (
        worn_out if ends else Effect()
    )


def test_soft_bounces_say_nothing_about_other_kinds() -> None:
    assert effect_of(InboundKind.BLOCKED, soft_bounces=9) == Effect()
    assert effect_of(InboundKind.DELAYED, soft_bounces=9) == Effect()
