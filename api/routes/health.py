"""Whether this process lives, whether it can work, and what it counts."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api.dependencies import Services
from api.documentation import problems
from api.errors import problem

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    status: str = "ok"


class Readiness(Health):
    parts: dict[str, str]


@router.get("/healthz")
async def get_health() -> Health:
    """This process answers."""
    return Health()


@router.get("/readyz", response_model=Readiness, responses=problems(503))
async def get_readiness(request: Request, services: Services) -> Readiness | JSONResponse:
    """Database and Temporal answer too."""
    parts = await services.readiness.look()
    if all(state == "ok" for state in parts.values()):
        return Readiness(parts=parts)
    detail = "; ".join(f"{name}: {state}" for name, state in parts.items())
    return problem(request, 503, "not-ready", "A part does not answer", detail)


@router.get("/metrics", response_class=Response)
async def get_metrics(services: Services) -> Response:
    """Prometheus text format."""
    return Response(generate_latest(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)
