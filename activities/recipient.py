"""What happens to a recipient without reaching the lead."""

from temporalio import activity

from activities.actions import Ledger
from shared.contracts.recipient import ActionOrder, CloseOrder
from shared.domain.recipient import ActivityName, EndReason, Outcome
from shared.errors import NotFound


class RecipientActivities:
    def __init__(self, *, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=ActivityName.RECIPIENT_PLAN)
    async def plan(self, order: ActionOrder) -> Outcome:
        """Look at the rows again and say what comes next."""
        return await self._ledger.plan(order)

    @activity.defn(name="recipient.close")
    async def close(self, order: CloseOrder) -> EndReason:
        """Write down that the recipient is over; answers the reason that stays."""
        try:
            return await self._ledger.close(order)
        except NotFound:
            # Its lead was erased: there is nothing to write.
            return order.reason
