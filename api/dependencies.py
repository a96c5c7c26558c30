"""The names that routes ask for: the services, and a caller who may do this."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.callers import Caller, Identity, Permission
from api.container import Container
from shared.errors import NotAuthenticated

_bearer = HTTPBearer(auto_error=False, description="Access token from POST /api/auth/login.")
_api_key = APIKeyHeader(name="X-Api-Key", auto_error=False, description="A machine's key.")


def _container(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


Services = Annotated[Container, Depends(_container)]


async def _identify(
    services: Services,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    api_key: Annotated[str | None, Depends(_api_key)],
) -> Identity:
    token = bearer.credentials if bearer else None
    return await services.access.identify(token, api_key)


Known = Annotated[Identity, Depends(_identify)]


async def _person(identity: Known) -> UUID:
    if identity.user_id is None:
        raise NotAuthenticated("An API key is no person: use a Bearer token")
    return identity.user_id


def _here(permission: Permission) -> Callable[[Services, Identity], Awaitable[Caller]]:
    """In the active company."""

    async def enter(services: Services, identity: Known) -> Caller:
        caller = await services.access.enter(identity, None)
        caller.must(permission)
        return caller

    return enter


def _in_path(permission: Permission) -> Callable[[UUID, Services, Identity], Awaitable[Caller]]:
    """In the company that the path names."""

    async def enter(company_id: UUID, services: Services, identity: Known) -> Caller:
        caller = await services.access.enter(identity, company_id)
        caller.must(permission)
        return caller

    return enter


Person = Annotated[UUID, Depends(_person)]
Reader = Annotated[Caller, Depends(_here(Permission.READ))]
Writer = Annotated[Caller, Depends(_here(Permission.WRITE))]
Answerer = Annotated[Caller, Depends(_here(Permission.ANSWER))]
Reporter = Annotated[Caller, Depends(_here(Permission.REPORT))]
Connector = Annotated[Caller, Depends(_here(Permission.CONNECT))]
CompanyReader = Annotated[Caller, Depends(_in_path(Permission.READ))]
CompanyWriter = Annotated[Caller, Depends(_in_path(Permission.WRITE))]
CompanyAdmin = Annotated[Caller, Depends(_in_path(Permission.ADMINISTER))]
