"""One attempt of an activity: what a worker is asked to do, and what came of it in words."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from deploy.chaos.workers import ChaosWorker
from shared.contracts.recipient import ActionOrder, CloseOrder
from shared.domain.recipient import ActivityName, EndReason, Finished, Outcome, Parked, Planned

# Nothing at their providers makes what they do once, so its calls end when their time is over.
UNTOKENED = frozenset(
    {ActivityName.LINKEDIN_INVITE, ActivityName.LINKEDIN_MESSAGE, ActivityName.BLAND_CALL}
)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The attempt failed, or nobody ever heard of it again."""

    why: str
    retry_after: timedelta | None = None


async def perform(
    worker: ChaosWorker, order: ActionOrder, stop: EndReason | None
) -> Outcome | EndReason:
    """What Temporal would have this worker do: the order, or the end that a stop asks for."""
    if stop:
        recipient = {"company_id": order.company_id, "recipient_id": order.recipient_id}
        return await worker.parts.recipient.close(CloseOrder(**recipient, reason=stop))
    parts = worker.parts
    deeds: dict[ActivityName, Callable[[ActionOrder], Awaitable[Outcome]]] = {
        ActivityName.RECIPIENT_PLAN: parts.recipient.plan,
        ActivityName.GMAIL_SEND: parts.gmail.send,
        ActivityName.SMTP_SEND: parts.smtp.send,
        ActivityName.LINKEDIN_INVITE: parts.linkedin.invite,
        ActivityName.LINKEDIN_MESSAGE: parts.linkedin.message,
        ActivityName.BLAND_CALL: parts.bland.call,
        ActivityName.BLAND_COLLECT: parts.bland.collect,
        ActivityName.TASK_OPEN: parts.tasks.open,
    }
    return await deeds[order.activity](order)


def in_words(answer: Outcome | EndReason | NoAnswer) -> str:
    match answer:
        case Planned():
            return f"next is {answer.label} at {answer.at:%m-%d %H:%M:%S}"
        case Parked() | Finished():
            return f"{answer.kind}: {answer.reason}"
        case NoAnswer():
            return answer.why
        case _:
            return str(answer)
