"""Each documented error of Bland: what becomes of the call, the lead and the account."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import yaml
from temporalio.exceptions import ApplicationError

from deploy.sandbox.contract import SPECS
from shared.db.models import ActionStatus
from shared.db.models.accounts import AccountStatus
from shared.domain.recipient import (
    ActivityName,
    EndReason,
    Finished,
    HoldReason,
    Outcome,
    Parked,
    Planned,
)
from shared.errors import ProviderError
from tests.activities.calling import Act
from tests.fakes.bland import FakeBland
from tests.phone_line import MORNING, PhoneLine

DAY = timedelta(days=1)
# What a recipient does next.
GOES_ON = "goes on with the next step"
TRIES_AGAIN = "the attempt is repeated"
LATER = "the same step later"
LOOKS = "it is looked for first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`says`: what a person reads, on the action or (`takes_down`) on the account."""

    status: int
    message: str
    next: str | EndReason | HoldReason
    action: ActionStatus
    says: str = ""
    word: str = "error"
    takes_down: bool = False
    blocks_for: timedelta | None = None
    suppresses: bool = False


CASES = (
    Case(
        status=400,
        message="Invalid phone number.",
        next=GOES_ON,
        action=ActionStatus.SKIPPED,
        says="Bland does not take this phone number. (Invalid phone number.)",
    ),
    Case(
        status=400,
        message="Unable to queue the call.",
        next=GOES_ON,
        action=ActionStatus.SKIPPED,
        says="Unable to queue",
    ),
    Case(
        status=400,
        message="Number found in DNC list. You cannot dial sensitive numbers. More attempts will"
        " result in being blocked.",
        word="DNC Error",
        next=EndReason.SUPPRESSED,
        action=ActionStatus.SKIPPED,
        says="do-not-call list",
        suppresses=True,
    ),
    Case(
        status=400,
        message="You cannot dial sensitive numbers. More attempts will result in being blocked.",
        next=EndReason.SUPPRESSED,
        action=ActionStatus.SKIPPED,
        says="must not dial this number",
        suppresses=True,
    ),
    Case(
        status=400,
        message='Invalid parameters. Error: ["Missing required parameter: phone_number."]',
        next=GOES_ON,
        action=ActionStatus.SKIPPED,
        says="phone_number",
    ),
    Case(
        status=400,
        message='Invalid parameters. Error: ["Additional properties are not allowed"]',
        next=HoldReason.STEP,
        action=ActionStatus.ABANDONED,
        says="Correct it, publish the step",
    ),
    Case(
        status=400,
        message="Calls must be scheduled at least 5 minutes in advance, or more",
        next=HoldReason.STEP,
        action=ActionStatus.ABANDONED,
        says="scheduled at least 5 minutes",
    ),
    Case(
        status=401,
        message="",
        next=HoldReason.ACCOUNT_DOWN,
        action=ActionStatus.RESERVED,
        takes_down=True,
        says="does not accept the API key: enter a new one",
    ),
    Case(
        status=402,
        message="Insufficient balance.",
        next=HoldReason.ACCOUNT_DOWN,
        action=ActionStatus.RESERVED,
        takes_down=True,
        says="no balance left for this account: top it up",
    ),
    Case(
        status=402,
        message="No billing record found.",
        next=HoldReason.ACCOUNT_DOWN,
        action=ActionStatus.RESERVED,
        takes_down=True,
        says="No billing record found.",
    ),
    Case(
        status=403,
        message="The Bland Team has flagged your account for security purposes.",
        next=HoldReason.ACCOUNT_DOWN,
        action=ActionStatus.RESERVED,
        takes_down=True,
        says="ask Bland why",
    ),
    Case(
        status=404,
        message="Pathway not found.",
        next=HoldReason.STEP,
        action=ActionStatus.ABANDONED,
        says="no such pathway",
    ),
    Case(
        status=418,
        message="The objective of this call did not pass validation.",
        next=HoldReason.STEP,
        action=ActionStatus.ABANDONED,
        says="objects to what the call is for",
    ),
    Case(
        status=429,
        message="Calls can only be sent every 10 seconds to the same number. Please try again in a"
        " few seconds.",
        next=TRIES_AGAIN,
        action=ActionStatus.RESERVED,
    ),
    Case(status=429, message="Rate limit exceeded", next=TRIES_AGAIN, action=ActionStatus.RESERVED),
    Case(
        status=429,
        message="This number is blacklisted.",
        next=EndReason.SUPPRESSED,
        action=ActionStatus.SKIPPED,
        says="blacklisted",
        suppresses=True,
    ),
    Case(
        status=429,
        message="New accounts are limited in the number of calls that they can send.",
        next=LATER,
        action=ActionStatus.RESERVED,
        blocks_for=DAY,
    ),
    Case(
        status=429,
        message="You have reached the limit of international calls for your account.",
        next=LATER,
        action=ActionStatus.RESERVED,
        blocks_for=DAY,
    ),
    Case(
        status=500,
        message="Error in creating Twilio connection.",
        next=LOOKS,
        action=ActionStatus.RESERVED,
    ),
    *(
        Case(
            status=status,
            message="Error in creating Twilio connection.",
            next=LOOKS,
            action=ActionStatus.RESERVED,
        )
        for status in (502, 503)
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.status} {case.message[:40]}")
async def test_each_documented_error(
    call: Act, line: PhoneLine, bland: FakeBland, case: Case
) -> None:
    campaign = await line.make_campaign()
    order = await line.make_order(campaign)
    bland.fail(case.status, case.message, word=case.word, on="sendCall")

    outcome = await _outcome(call(order))

    [action], account = await line.company.actions(), await line.account()
    assert _next_of(outcome, campaign.step_ids[0]) == case.next
    assert action.status is case.action
    assert case.says in ((account.status_reason if case.takes_down else action.refusal) or "")
    down, up = AccountStatus.NEEDS_ATTENTION, AccountStatus.ACTIVE
    assert account.status is (down if case.takes_down else up)
    held = account.blocked_until - MORNING if account.blocked_until else None
    assert held == case.blocks_for
    lead = await line.lead_of(order)
    assert (lead.status == "unsubscribed") is case.suppresses
    assert bland.placed == []
    # Nobody's number stands where it is read.
    assert (lead.phone or "-") not in f"{action.refusal} {account.status_reason}"


def test_no_documented_error_is_left_out() -> None:
    spec = yaml.safe_load((SPECS / "bland.openapi.yaml").read_text(encoding="utf-8"))
    documented = {
        (int(status), example["value"].get("message", ""))
        for status, answer in spec["paths"]["/v1/calls"]["post"]["responses"].items()
        for example in examples_of(spec, answer)
        if status != "200"
    }

    assert documented <= {(case.status, case.message) for case in CASES}


def examples_of(spec: dict[str, Any], answer: dict[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in answer:
        answer = spec["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return list(answer["content"]["application/json"]["examples"].values())


@pytest.mark.parametrize("lost", ["answer", "request"])
async def test_without_an_answer_it_is_looked_for(
    call: Act, line: PhoneLine, bland: FakeBland, lost: str
) -> None:
    bland.board.lag = timedelta(hours=1)
    order = await line.make_order()
    (bland.lose_answer if lost == "answer" else bland.lose_request)(on="sendCall")

    outcome = await call(order)

    assert _next_of(outcome, order.step_id) == LOOKS
    [action] = await line.company.actions()
    assert action.status is ActionStatus.RESERVED
    assert action.draft_id


async def test_nobody_listening_is_no_doubt(call: Act, line: PhoneLine, bland: FakeBland) -> None:
    order = await line.make_order()
    bland.be_down(on="sendCall")

    assert await _outcome(call(order)) == TRIES_AGAIN

    await call(order)
    assert len(bland.placed) == 1


async def test_a_step_that_was_corrected_goes_on(
    call: Act, line: PhoneLine, bland: FakeBland
) -> None:
    order = await line.make_order()
    bland.fail(404, "Pathway not found.", on="sendCall")
    await call(order)

    await call(order)

    assert len(bland.placed) == 1
    [action] = await line.company.actions()
    assert (action.status, action.round) == (ActionStatus.PLACED, 2)


async def _outcome(attempt: Awaitable[Outcome]) -> Outcome | str:
    try:
        return await attempt
    except (ProviderError, ApplicationError):
        return TRIES_AGAIN


def _next_of(outcome: Outcome | str, step_id: object) -> object:
    match outcome:
        case Finished(reason=reason) | Parked(reason=reason):
            return reason
        case Planned() if outcome.step_id != step_id:
            return GOES_ON
        case Planned(activity=ActivityName.BLAND_CALL):
            return LOOKS if "looked for" in outcome.label else LATER
        case _:
            return outcome
