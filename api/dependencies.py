"""The names that routes ask for: the services, and a caller who may do this."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.callers import Caller, Identity, Permission
from api.container import Container
from api.cookies import SESSION
from api.deeds import PLACE, SAFE
from api.repeats import KeyedWrite
from api.services.idempotency import Claimant
from shared.db.deed import current_deed
from shared.errors import NotAuthenticated

_bearer = HTTPBearer(auto_error=False, description="Access token from POST /api/auth/login.")
_cookie = APIKeyCookie(
    name=SESSION,
    auto_error=False,
    description="Session of a browser, from POST /api/auth/login with `cookie`. A write also needs"
    " the header X-CSRF-Token with the content of the cookie drumbeat_csrf.",
)
_api_key = APIKeyHeader(name="X-Api-Key", auto_error=False, description="A machine's key.")


def _container(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


Services = Annotated[Container, Depends(_container)]


async def _identify(
    request: Request,
    services: Services,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    api_key: Annotated[str | None, Depends(_api_key)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> Identity:
    token = bearer.credentials if bearer else None
    identity = await services.access.identify(token, api_key, cookie)
    # A browser sends the cookie by itself, whoever has made it write; no other credentials.
    if cookie and identity.session_id and request.method not in SAFE:
        csrf_token = request.headers.get("x-csrf-token")
        services.browser_sessions.must_come_from_page(cookie, csrf_token)
    return identity


async def _session(request: Request, services: Services) -> Identity | None:
    """None: there is no session, or none that is good any more."""
    cookie = request.cookies.get(SESSION)
    if cookie is None:
        return None
    try:
        return await _identify(request, services, None, None, cookie)
    except NotAuthenticated:
        return None


Known = Annotated[Identity, Depends(_identify)]
Browser = Annotated[Identity | None, Depends(_session)]


async def _act(request: Request, services: Container, claimant: Claimant) -> None:
    """Note who acts; a write with an Idempotency-Key is claimed, or answered as the first time."""
    current_deed().actor = claimant.name
    write: KeyedWrite | None = request.scope.get(PLACE)
    if write is not None:
        await services.idempotency.claim(claimant, write)


async def _anybody(request: Request, services: Services) -> None:
    await _act(request, services, Claimant())


async def _person(request: Request, services: Services, identity: Known) -> UUID:
    if identity.user_id is None:
        raise NotAuthenticated("An API key is no person: use a Bearer token")
    await _act(request, services, Claimant(name=identity.actor))
    return identity.user_id


async def _hold_secret(request: Request) -> None:
    """The answer shows a secret once, so it is not kept for a repetition."""
    write: KeyedWrite | None = request.scope.get(PLACE)
    if write is not None:
        write.is_secret = True


def _here(permission: Permission) -> Callable[[Request, Container, Identity], Awaitable[Caller]]:
    """In the active company."""

    async def enter(request: Request, services: Services, identity: Known) -> Caller:
        caller = await services.access.enter(identity, None)
        caller.must(permission)
        await _act(request, services, Claimant(name=identity.actor, company_id=caller.company_id))
        return caller

    return enter


def _in_path(
    permission: Permission,
) -> Callable[[UUID, Request, Container, Identity], Awaitable[Caller]]:
    """In the company that the path names."""

    async def enter(
        company_id: UUID, request: Request, services: Services, identity: Known
    ) -> Caller:
        caller = await services.access.enter(identity, company_id)
        caller.must(permission)
        await _act(request, services, Claimant(name=identity.actor, company_id=company_id))
        return caller

    return enter


# For routes' `dependencies=[...]`.
ANYBODY_ONCE = Depends(_anybody)
SHOWS_SECRET = Depends(_hold_secret)
Person = Annotated[UUID, Depends(_person)]
Reader = Annotated[Caller, Depends(_here(Permission.READ))]
Writer = Annotated[Caller, Depends(_here(Permission.WRITE))]
Answerer = Annotated[Caller, Depends(_here(Permission.ANSWER))]
Reporter = Annotated[Caller, Depends(_here(Permission.REPORT))]
Connector = Annotated[Caller, Depends(_here(Permission.CONNECT))]
CompanyReader = Annotated[Caller, Depends(_in_path(Permission.READ))]
CompanyWriter = Annotated[Caller, Depends(_in_path(Permission.WRITE))]
CompanyAdmin = Annotated[Caller, Depends(_in_path(Permission.ADMINISTER))]
