"""/api/inbound: for jobs that read mailboxes themselves."""

from fastapi import APIRouter, Response, status

from api.callers import Caller
from api.dependencies import Reporter, Services
from api.documentation import problems
from api.schemas.inbound import InboundAnswer, InboundReport
from shared.contracts.inbound import InboundEvent

router = APIRouter(prefix="/api/inbound", tags=["inbound"])


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(409) | {200: {"description": "Seen before.", "model": InboundAnswer}},
)
async def report_inbound(
    body: InboundReport, response: Response, caller: Reporter, services: Services
) -> InboundAnswer:
    """Report a reply, bounce or the like. 202: stored; 200: it was stored before."""
    is_new = await services.inbound.receive(_event(body, caller))
    if not is_new:
        response.status_code = status.HTTP_200_OK
    return InboundAnswer(is_new=is_new)


def _event(body: InboundReport, caller: Caller) -> InboundEvent:
    return InboundEvent(
        company_id=caller.company_id,
        account_id=body.account_id,
        provider=body.provider,
        # Two jobs may count alike, and must not pass for each other.
        provider_event_id=f"{body.provider}/{body.provider_event_id}",
        kind=body.kind,
        occurred_at=body.occurred_at,
        thread_id=body.thread_id or body.call_id,
        message_ids=(body.in_reply_to,) if body.in_reply_to else (),
        address=body.address,
        subject=body.subject,
        text=body.text,
    )
