"""Which gateway a command talks to, and as whom: one that is named, or the one that runs here."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import psutil
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from api.tokens import AccessTokens
from deploy.local.reading import read_settings
from deploy.local.records import ChildRecords
from deploy.local.stack import reachable
from shared.db.models import UserRow
from shared.db.session import Database, make_engine
from shared.errors import DrumbeatError, Misconfigured, Unavailable
from shared.keyring import Keyring

SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What a person says of it. `user`, `company`: who they are, where it runs on this machine."""

    url: str | None = None
    api_key: str | None = None
    user: str | None = None
    company: UUID | None = None


class Refusal(DrumbeatError):
    """The gateway said no; `problem` is its answer."""

    def __init__(self, problem: dict[str, Any], status: int) -> None:
        missing = "".join(f"\n  - {it}" for it in problem.get("missing", ()))
        super().__init__(f"{problem.get('detail') or 'the gateway refuses it'}{missing}")
        self.problem, self.status = problem, status


@dataclass(frozen=True, slots=True)
class Door:
    """Calls of a gateway; every refusal is raised."""

    client: httpx.Client = field(repr=False)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Raises Refusal, and Unavailable when nobody answers."""
        try:
            answer = self.client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise Unavailable(
                f"{self.client.base_url} does not answer ({type(error).__name__}): is it started?"
            ) from None
        if answer.is_error:
            raise Refusal(_problem_of(answer), answer.status_code)
        return answer


@contextmanager
def open_door(caller: Caller) -> Iterator[Door]:
    """Raises Misconfigured when nobody can be found to talk to."""
    url, headers = _address(caller)
    with httpx.Client(base_url=url, headers=headers, timeout=SECONDS) as client:
        yield Door(client)


def _address(caller: Caller) -> tuple[str, dict[str, str]]:
    if caller.url and not caller.api_key:
        raise Misconfigured(
            "A gateway elsewhere wants an API key: give --api-key, or set DRUMBEAT_API_KEY"
        )
    if caller.url:
        return caller.url, {"X-Api-Key": caller.api_key or ""}
    settings = read_settings()
    gateway = ChildRecords(settings.data_dir / "run").find("gateway")
    if gateway is None:
        raise Misconfigured(
            f"No gateway runs on {settings.data_dir}: start one with `drumbeat up`, or name one"
            " with --url and --api-key"
        )
    here = _environment_of(gateway)
    url = f"http://{reachable(here['DRUMBEAT_HOST'])}:{here['DRUMBEAT_PORT']}"
    if caller.api_key:
        return url, {"X-Api-Key": caller.api_key}
    return url, {"Authorization": f"Bearer {asyncio.run(_token(here, caller))}"}


def _environment_of(gateway: psutil.Process) -> dict[str, str]:
    try:
        return gateway.environ()
    except psutil.AccessDenied:
        raise Misconfigured(
            "The gateway that runs here belongs to another user: use --url and --api-key"
        ) from None


async def _token(here: dict[str, str], caller: Caller) -> str:
    """Who may read the gateway's secrets may act as any of its users."""
    keyring = Keyring(
        secret_key=here["DRUMBEAT_SECRET_KEY"], encryption_keys=here["DRUMBEAT_ENCRYPTION_KEYS"]
    )
    engine = make_engine(here["DATABASE_URL"])
    try:
        user_id = await _user(Database(engine), caller.user)
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(f"The database does not answer ({type(error).__name__})") from None
    finally:
        await engine.dispose()
    return AccessTokens(keyring).issue(user_id, caller.company)


async def _user(database: Database, email: str | None) -> UUID:
    found = select(UserRow.id, UserRow.email).order_by(UserRow.created_at)
    found = found.where(UserRow.email == email.lower()) if email else found.limit(2)
    async with database.outside_session() as session:
        rows = (await session.execute(found)).all()
    match rows:
        case [only]:
            user_id: UUID = only.id
            return user_id
        case []:
            who = f"is called {email}" if email else "is registered yet"
            raise Misconfigured(f"Nobody {who}: POST /api/auth/register makes users")
    raise Misconfigured("Several users are registered here: say who you are with --user EMAIL")


def _problem_of(answer: httpx.Response) -> dict[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        return {"detail": f"HTTP {answer.status_code} without words"}
    return problem if isinstance(problem, dict) else {"detail": str(problem)}
