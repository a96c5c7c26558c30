"""A step that is a mail is passed over for a lead without an address: other channels go on."""

from activities.clock import now
from activities.results import Call, Done, Reserved, Skipped
from shared.domain.branches import StepOutcome

NO_ADDRESS = "The lead has no e-mail address"


def only_with_address(call: Call) -> Call:
    """What was begun is looked after all the same."""

    async def send(reserved: Reserved) -> Done:
        is_begun = reserved.action.draft_id is not None
        if reserved.situation.rest.lead_email or is_begun or not reserved.is_wanted:
            return await call(reserved)
        return Skipped(reason=NO_ADDRESS, outcomes={StepOutcome.SKIPPED: now()})

    return send
