"""/explain: why nothing is being sent, from a campaign or an account."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.callers import Caller
from api.dependencies import Reader, Services
from api.documentation import problems
from api.schemas.explaining import (
    AccountStandingAnswer,
    NamedAnswer,
    NamedStanding,
    NextRecipient,
    StandingAnswer,
    UsageAnswer,
)
from api.schemas.fields import Short
from api.services.explaining import Explained, Named
from shared.domain.explanation import Explanation
from shared.domain.recipient import Planned, Step

router = APIRouter(prefix="/api", tags=["explain"])


@router.get("/campaigns/{campaign_id}/explain", responses=problems(404))
async def explain_campaign(campaign_id: UUID, caller: Reader, services: Services) -> StandingAnswer:
    """What comes next in a campaign, and everything that holds it: pauses, accounts, limits,
    to-dos, its launcher. The next instant is from the function that decides."""
    return _answer(await services.explaining.campaign(caller, campaign_id))


@router.get("/accounts/{account_id}/explain", responses=problems(404))
async def explain_account(
    account_id: UUID, caller: Reader, services: Services
) -> AccountStandingAnswer:
    """How much of each limit is used, when there is room again, who waits, and what is wrong."""
    found = await services.explaining.account(caller, account_id)
    limits = [
        UsageAnswer(limit=it.words, used=it.used, most=it.most, free_at=it.free_at)
        for it in found.usage
    ]
    return AccountStandingAnswer(**_answer(found).model_dump(), limits=limits)


@router.get("/explain")
async def explain_by_name(
    *,
    caller: Reader,
    services: Services,
    of: Annotated[
        Short,
        Query(
            description="An id, a lead's or account's address, or a campaign's name.",
            examples=["ada@example.com"],
        ),
    ],
) -> NamedAnswer:
    """The same for whatever goes by this id, address or name; for a lead, in each campaign."""
    named = await services.explaining.find(caller, of)
    return NamedAnswer(explained=[await _explain(services, caller, one) for one in named])


async def _explain(services: Services, caller: Caller, one: Named) -> NamedStanding:
    if one.campaign_id is not None:
        found, steps = await services.recipients.explain(caller, one.campaign_id, one.id)
        standing = StandingAnswer(
            state=found.move.kind,
            next=_next(one.id, None, found, steps),
            because=list(found.because),
            blocked_by=list(found.blocked_by),
        )
    elif one.kind == "campaign":
        standing = _answer(await services.explaining.campaign(caller, one.id))
    else:
        standing = _answer(await services.explaining.account(caller, one.id))
    return NamedStanding(**standing.model_dump(), kind=one.kind, id=one.id, name=one.name)


def _answer(found: Explained) -> StandingAnswer:
    standing, one = found.standing, found.following
    return StandingAnswer(
        state=standing.state,
        next=_next(one.recipient_id, one.email, one.explanation, one.steps) if one else None,
        because=list(standing.because),
        blocked_by=list(standing.blocked_by),
    )


def _next(
    recipient_id: UUID, email: str | None, explanation: Explanation, steps: Sequence[Step]
) -> NextRecipient | None:
    move = explanation.move
    if not isinstance(move, Planned):
        return None
    step = next((step for step in steps if step.id == move.step_id), None)
    return NextRecipient(
        activity=move.activity,
        step=step.position if step else None,
        at=move.at,
        recipient_id=recipient_id,
        lead=email,
        because=list(explanation.because),
        blocked_by=list(explanation.blocked_by),
    )
