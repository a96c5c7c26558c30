"""/api/auth: who somebody is."""

from fastapi import APIRouter, Request, Response, status

from api.dependencies import ANYBODY_ONCE, SHOWS_SECRET, Browser, Known, Person, Services
from api.documentation import problems
from api.schemas.auth import (
    Ending,
    Invitation,
    Login,
    MeAnswer,
    RefreshToken,
    Registration,
    SwitchCompany,
    TokensAnswer,
)

router = APIRouter(prefix="/api/auth", tags=["auth"])
GIVES_TOKENS = [ANYBODY_ONCE, SHOWS_SECRET]


@router.post(
    "/register",
    status_code=status.HTTP_201_CREATED,
    responses=problems(409),
    dependencies=GIVES_TOKENS,
)
async def register(body: Registration, services: Services) -> TokensAnswer:
    """Make a user. The tokens have no active company until POST /api/companies made one."""
    tokens = await services.auth.register(email=body.email, password=body.password, name=body.name)
    return TokensAnswer.model_validate(tokens)


@router.post("/login", responses=problems(401, 429), dependencies=GIVES_TOKENS)
async def login(
    body: Login, request: Request, response: Response, services: Services
) -> TokensAnswer:
    """Get tokens. Failures are counted per address and per account, in each gateway process."""
    address = request.client.host if request.client else "unknown"
    tokens = await services.auth.login(email=body.email, password=body.password, address=address)
    if body.cookie:
        opened = await services.browser_sessions.open(tokens.user.id)
        services.cookies.set(response, opened)
    return TokensAnswer.model_validate(tokens)


@router.post("/accept-invitation", responses=problems(401, 409), dependencies=GIVES_TOKENS)
async def accept_invitation(body: Invitation, services: Services) -> TokensAnswer:
    """Set the first password with an invitation's token. The tokens act in its company."""
    tokens = await services.auth.accept_invitation(
        body.invitation_token, password=body.password, name=body.name
    )
    return TokensAnswer.model_validate(tokens)


@router.post("/refresh", responses=problems(401), dependencies=GIVES_TOKENS)
async def refresh(body: RefreshToken, services: Services) -> TokensAnswer:
    """Swap a refresh token for new tokens. One that was used before ends all that came of it."""
    return TokensAnswer.model_validate(await services.auth.refresh(body.refresh_token))


@router.post(
    "/logout",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(401, 403),
    dependencies=[ANYBODY_ONCE],
)
async def logout(
    browser: Browser, services: Services, response: Response, body: Ending | None = None
) -> None:
    """End the login. An access token stays good for the rest of its quarter of an hour."""
    if body and body.refresh_token:
        await services.auth.logout(body.refresh_token)
    if browser and browser.session_id:
        await services.browser_sessions.close(browser.session_id)
        services.cookies.clear(response)


@router.get("/me")
async def get_me(identity: Known, services: Services) -> MeAnswer:
    """Who I am and where I belong."""
    return MeAnswer.model_validate(await services.auth.me(identity))


@router.post("/switch-company", responses=problems(404), dependencies=[SHOWS_SECRET])
async def switch_company(
    body: SwitchCompany, person: Person, identity: Known, services: Services
) -> TokensAnswer:
    """Get tokens that act in this company; a browser's session acts there too from now on."""
    tokens = await services.auth.switch_company(person, body.company_id)
    if identity.session_id:
        await services.browser_sessions.switch_company(identity.session_id, body.company_id)
    return TokensAnswer.model_validate(tokens)
