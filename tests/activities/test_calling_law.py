"""Nobody is called who has not agreed, at night, or on a holiday; and people read why."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.contracts.recipient import ActionOrder
from shared.db.models import ActionStatus, CampaignRow, CompanyRow
from shared.domain.recipient import ActivityName, HoldReason, Outcome, Parked, Planned
from tests.activities.calling import MINUTE, Act, at
from tests.fakes.bland import FakeBland
from tests.phone_line import MORNING, PhoneLine
from workflows.parts import Parts

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("lead", "words"),
    [
        ({"consent": None}, "ePrivacy"),
        ({"consent": "newsletter"}, "'newsletter'"),
        ({"consent": None, "phone": "+12125550123"}, "TCPA"),
        ({"consent": None, "phone": "+6493001234", "country": "NZ"}, "no rule there"),
        ({"phone": None}, "no phone number"),
        ({"phone": "+15550100"}, "no number that exists"),
    ],
)
async def test_who_may_not_be_called_is_passed_over_with_the_reason(
    *, call: Act, line: PhoneLine, bland: FakeBland, lead: dict[str, Any], words: str
) -> None:
    campaign = await line.make_campaign()
    order = await line.make_order(campaign, lead_id=await line.make_lead(**lead))

    outcome = await _until_settled(call, order)

    [action] = await line.company.actions()
    assert (action.status, list(action.outcomes)) == (ActionStatus.SKIPPED, ["refused"])
    assert words in (action.refusal or "")
    assert isinstance(outcome, Planned)
    assert outcome.step_id == campaign.step_ids[1]
    assert bland.requests["sendCall"] == 0


async def test_a_country_that_the_company_knows_asks_for_no_consent(
    call: Act, line: PhoneLine, bland: FakeBland
) -> None:
    async with line.company.session() as session:
        company = await session.get_one(CompanyRow, line.company.id)
        company.settings = {"calls_without_consent_in": ["NZ"]}
    lead_id = await line.make_lead(
        consent=None, phone="+6493001234", country="NZ", region="AUK", time_zone="Pacific/Auckland"
    )
    order = await line.make_order(lead_id=lead_id)
    noon = datetime(2026, 11, 24, 12, tzinfo=ZoneInfo("Pacific/Auckland")).astimezone(UTC)

    await call(order, noon)

    assert len(bland.placed) == 1


@pytest.mark.parametrize(
    ("instant", "planned"),
    [
        (datetime(2026, 11, 23, 6, tzinfo=BERLIN), datetime(2026, 11, 23, 8, tzinfo=BERLIN)),
        (datetime(2026, 11, 23, 21, tzinfo=BERLIN), datetime(2026, 11, 24, 8, tzinfo=BERLIN)),
        (datetime(2026, 12, 25, 12, tzinfo=BERLIN), datetime(2026, 12, 27, 8, tzinfo=BERLIN)),
    ],
    ids=["at night", "late", "at Christmas"],
)
async def test_a_call_waits_for_a_good_time(
    *, call: Act, line: PhoneLine, bland: FakeBland, instant: datetime, planned: datetime
) -> None:
    order = await line.make_order(at=instant)

    outcome = await call(order, instant)

    assert isinstance(outcome, Planned)
    assert (outcome.activity, outcome.at) == (ActivityName.BLAND_CALL, planned)
    assert bland.placed == []


async def test_a_retry_that_comes_at_night_waits_for_the_morning(
    call: Act, line: PhoneLine, bland: FakeBland
) -> None:
    order = await line.make_order()
    bland.be_down(on="sendCall")
    with pytest.raises(Exception, match="could not be reached"):
        await call(order)

    outcome = await call(order, MORNING + timedelta(hours=12))

    assert isinstance(outcome, Planned)
    assert outcome.at == datetime(2026, 11, 24, 8, tzinfo=BERLIN)
    assert bland.placed == []


async def test_a_campaign_that_runs_only_at_night_calls_nobody(
    call: Act, line: PhoneLine, bland: FakeBland
) -> None:
    campaign = await line.make_campaign()
    async with line.company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        row.window = {"days": {"monday": ["00:00-03:00"]}, "in_lead_zone": True}
    lead_id = await line.make_lead(time_zone="Europe/Berlin")
    at_one = datetime(2026, 11, 23, 1, tzinfo=BERLIN)
    order = await line.make_order(campaign, lead_id=lead_id, at=at_one)

    await call(order, at_one)

    [action] = await line.company.actions()
    assert action.status is ActionStatus.SKIPPED
    assert "never a good time" in (action.refusal or "")


async def test_without_a_line_it_waits_for_one(
    phone_parts: Parts, line: PhoneLine, bland: FakeBland
) -> None:
    order = await line.make_order()
    async with line.company.session() as session:
        await session.delete(await line.account())

    outcome = await at(MORNING + MINUTE).run(phone_parts.bland.call, order)

    assert outcome == Parked(reason=HoldReason.NO_LINE)


async def _until_settled(call: Act, order: ActionOrder) -> Outcome:
    """Who cannot be told the hours of is asked for at once, others in theirs."""
    outcome = await call(order)
    if isinstance(outcome, Planned) and outcome.activity is ActivityName.BLAND_CALL:
        return await call(order, outcome.at)
    return outcome
