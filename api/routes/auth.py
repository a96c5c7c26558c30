"""/api/auth: who somebody is."""

from fastapi import APIRouter, Request, status

from api.dependencies import Known, Person, Services
from api.documentation import problems
from api.schemas.auth import (
    Login,
    MeAnswer,
    RefreshToken,
    Registration,
    SwitchCompany,
    TokensAnswer,
)

router = APIRouter(prefix="/api/auth", tags=["auth"])


@router.post("/register", status_code=status.HTTP_201_CREATED, responses=problems(409))
async def register(body: Registration, services: Services) -> TokensAnswer:
    """Make a user. The tokens have no active company until POST /api/companies made one."""
    tokens = await services.auth.register(email=body.email, password=body.password, name=body.name)
    return TokensAnswer.model_validate(tokens)


@router.post("/login", responses=problems(401, 429))
async def login(body: Login, request: Request, services: Services) -> TokensAnswer:
    """Get tokens. Failures are counted per address and per account, in each gateway process."""
    address = request.client.host if request.client else "unknown"
    tokens = await services.auth.login(email=body.email, password=body.password, address=address)
    return TokensAnswer.model_validate(tokens)


@router.post("/refresh", responses=problems(401))
async def refresh(body: RefreshToken, services: Services) -> TokensAnswer:
    """Swap a refresh token for new tokens. One that was used before ends all that came of it."""
    return TokensAnswer.model_validate(await services.auth.refresh(body.refresh_token))


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
async def logout(body: RefreshToken, services: Services) -> None:
    """End the login. An access token stays good for the rest of its quarter of an hour."""
    await services.auth.logout(body.refresh_token)


@router.get("/me")
async def get_me(identity: Known, services: Services) -> MeAnswer:
    """Who I am and where I belong."""
    return MeAnswer.model_validate(await services.auth.me(identity))


@router.post("/switch-company", responses=problems(404))
async def switch_company(body: SwitchCompany, person: Person, services: Services) -> TokensAnswer:
    """Get tokens that act in this company."""
    tokens = await services.auth.switch_company(person, body.company_id)
    return TokensAnswer.model_validate(tokens)
