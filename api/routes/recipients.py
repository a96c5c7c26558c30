"""/api/campaigns/{campaign_id}/recipients: the leads inside a campaign."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status

from api.dependencies import Answerer, Reader, Services, Writer
from api.documentation import problems
from api.presenting import explanation_answer, recipient_answer
from api.schemas.paging import (
    LARGEST_ARRAY,
    ArrayLimit,
    Cursor,
    link_next,
    make_cursor,
    read_cursor,
)
from api.schemas.recipients import (
    ActionAnswer,
    AddedAnswer,
    ExplanationAnswer,
    NewRecipients,
    NewResolution,
    RecipientAnswer,
    Refusal,
)
from api.services.recipients import Added
from shared.domain.recipient import RecipientStatus
from shared.errors import Conflict, NotFound

router = APIRouter(prefix="/api/campaigns/{campaign_id}/recipients", tags=["recipients"])
ONE = "/{recipient_id}"


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(404, 409))
async def add_recipients(
    campaign_id: UUID, body: NewRecipients, caller: Writer, services: Services
) -> AddedAnswer | RecipientAnswer:
    """Add leads to a campaign; twice is once. With one `contact_id` the answer is a Recipient."""
    added = await services.recipients.add(caller, campaign_id, body.wanted)
    if body.contact_id is None:
        return _added_answer(added)
    if added.enrolled.refused:
        raise _refusal(body.contact_id, added.enrolled.refused[0].reason)
    known = await services.recipients.find_of_lead(caller, campaign_id, body.contact_id)
    if known is None:
        raise NotFound(f"Lead {body.contact_id} was removed from the campaign meanwhile")
    return recipient_answer(known)


@router.get("", responses=problems(404))
async def list_recipients(
    *,
    campaign_id: UUID,
    request: Request,
    response: Response,
    caller: Reader,
    services: Services,
    status: Annotated[RecipientStatus | None, Query()] = None,
    limit: ArrayLimit = None,
    cursor: Cursor = None,
) -> list[RecipientAnswer]:
    """In the order of adding; a page goes on at `Link`. Removed ones are left out."""
    most = limit or LARGEST_ARRAY
    rows = await services.recipients.list_recipients(
        caller, campaign_id, status=status, limit=most, after=read_cursor(cursor)
    )
    if limit and len(rows) > limit:
        link_next(request, response, make_cursor(rows[limit - 1].id))
    return [recipient_answer(known) for known in rows[:most]]


@router.get(ONE, responses=problems(404))
async def get_recipient(
    campaign_id: UUID, recipient_id: UUID, caller: Reader, services: Services
) -> RecipientAnswer:
    """One lead's state in this campaign."""
    return recipient_answer(await services.recipients.get(caller, campaign_id, recipient_id))


@router.delete(ONE, status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
async def remove_recipient(
    campaign_id: UUID, recipient_id: UUID, caller: Writer, services: Services
) -> None:
    """End it and take it out of lists and statistics."""
    await services.recipients.remove(caller, campaign_id, recipient_id)


@router.get(f"{ONE}/actions", responses=problems(404))
async def list_actions(
    campaign_id: UUID, recipient_id: UUID, caller: Reader, services: Services
) -> list[ActionAnswer]:
    """What was done, and as `scheduled` what comes next."""
    return list(await services.actions.list_actions(caller, campaign_id, recipient_id))


@router.get(f"{ONE}/explain", responses=problems(404))
async def explain_recipient(
    campaign_id: UUID, recipient_id: UUID, caller: Reader, services: Services
) -> ExplanationAnswer:
    """What happens next, when, and what holds it, from the function that decides."""
    return explanation_answer(*await services.recipients.explain(caller, campaign_id, recipient_id))


@router.post(f"{ONE}/mark-responded", responses=problems(404))
async def mark_recipient_responded(
    campaign_id: UUID, recipient_id: UUID, caller: Answerer, services: Services
) -> RecipientAnswer:
    """The lead has answered by another way: it does all that a reply does."""
    await services.inbound.mark_responded(caller, campaign_id, recipient_id)
    return recipient_answer(await services.recipients.get(caller, campaign_id, recipient_id))


@router.post(f"{ONE}/pause", responses=problems(404, 409))
async def pause_recipient(
    campaign_id: UUID, recipient_id: UUID, caller: Writer, services: Services
) -> RecipientAnswer:
    """Nothing is sent to this lead from the next moment on."""
    return recipient_answer(await services.recipients.pause(caller, campaign_id, recipient_id))


@router.post(f"{ONE}/resume", responses=problems(404, 409))
async def resume_recipient(
    campaign_id: UUID, recipient_id: UUID, caller: Writer, services: Services
) -> RecipientAnswer:
    """Go on where it was."""
    return recipient_answer(await services.recipients.resume(caller, campaign_id, recipient_id))


@router.post(f"{ONE}/skip-step", responses=problems(404, 409))
async def skip_recipient_step(
    campaign_id: UUID, recipient_id: UUID, caller: Writer, services: Services
) -> RecipientAnswer:
    """Settle the next step without doing it; the steps behind it keep their dates."""
    await services.steering.skip(caller, campaign_id, recipient_id)
    return recipient_answer(await services.recipients.get(caller, campaign_id, recipient_id))


@router.post(f"{ONE}/send-now", responses=problems(404, 409))
async def send_recipient_now(
    campaign_id: UUID, recipient_id: UUID, caller: Writer, services: Services
) -> RecipientAnswer:
    """Do the next step without its wait. What else is in the way is a 409 that names it."""
    await services.steering.send_now(caller, campaign_id, recipient_id)
    return recipient_answer(await services.recipients.get(caller, campaign_id, recipient_id))


@router.post(f"{ONE}/actions/{{action_id}}/resolve", responses=problems(404, 409))
async def resolve_action(
    *,
    campaign_id: UUID,
    recipient_id: UUID,
    action_id: UUID,
    body: NewResolution,
    caller: Writer,
    services: Services,
) -> ActionAnswer:
    """Say of a mail of which nobody knows it: it was `sent`, or it may be sent again (`resend`)."""
    ids = (campaign_id, recipient_id, action_id)
    await services.steering.resolve(caller, *ids, body.outcome)
    return await services.actions.get_action(caller, *ids)


def _added_answer(added: Added) -> AddedAnswer:
    return AddedAnswer(
        added=added.enrolled.added,
        already=added.enrolled.already,
        refused_count=added.enrolled.refused_count,
        refused=[
            Refusal(contact_id=refused.contact_id, reason=refused.reason)
            for refused in added.enrolled.refused
        ],
        recipients=[recipient_answer(known) for known in added.recipients],
        task_id=added.task_id,
    )


def _refusal(lead_id: UUID, reason: str) -> NotFound | Conflict:
    if reason == "not found":
        return NotFound(f"Lead {lead_id} is not there")
    return Conflict(f"Lead {lead_id} cannot be added: {reason}")
