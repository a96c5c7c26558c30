"""Consent and tokens, against a token endpoint that checks what RFC 6749 and RFC 7636 ask for."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.errors import (
    AccountRefused,
    AuthExpired,
    DrumbeatError,
    Misconfigured,
    RateLimited,
    Unavailable,
)
from shared.providers.google_oauth import (
    ASKED_SCOPES,
    NEEDED_SCOPES,
    GoogleEndpoints,
    GoogleOAuth,
    Identity,
    missing_scopes,
)

VERIFIER = "v" * 64
ENDPOINTS = GoogleEndpoints(
    auth_url="http://google.test/auth",
    token_url="http://google.test/token",
    revoke_url="http://google.test/revoke",
    userinfo_url="http://google.test/userinfo",
    client_id="client-1",
    client_secret="secret-1",
    redirect_uri="http://localhost:8000/callback",
)


class FakeGoogle:
    """Codes and refresh tokens can be used as long as they stand here."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.refresh_tokens = {"refresh-1"}
        self.claims: dict[str, Any] = {"email": "sam@acme.test", "sub": "42", "hd": "acme.test"}
        self.answer: Response | None = None
        self.raises: Exception | None = None
        routes = [("token", "POST"), ("revoke", "POST"), ("userinfo", "GET")]
        self.app = Starlette(
            routes=[Route(f"/{name}", getattr(self, name), methods=[m]) for name, m in routes]
        )

    def consent(self, url: str) -> str:
        """The person agrees: the code that the callback brings."""
        query = dict(parse_qsl(urlsplit(url).query))
        code = f"code-{len(self.codes) + 1}"
        self.codes[code] = query["code_challenge"]
        return code

    async def token(self, request: Request) -> Response:
        if (forced := self._forced()) is not None:
            return forced
        form = dict(await request.form())
        if (form["client_id"], form["client_secret"]) != ("client-1", "secret-1"):
            return problem(401, "invalid_client")
        token = {"access_token": "access-1", "expires_in": 3599, "scope": " ".join(NEEDED_SCOPES)}
        if form["grant_type"] == "refresh_token":
            is_known = form["refresh_token"] in self.refresh_tokens
            return JSONResponse(token) if is_known else problem(400, "invalid_grant")
        challenge = urlsafe_b64encode(sha256(str(form["code_verifier"]).encode()).digest())
        if self.codes.pop(str(form["code"]), None) != challenge.decode().rstrip("="):
            return problem(400, "invalid_grant")
        if form["redirect_uri"] != ENDPOINTS.redirect_uri:
            return problem(400, "redirect_uri_mismatch")
        return JSONResponse(token | {"refresh_token": "refresh-1"})

    async def revoke(self, request: Request) -> Response:
        if (forced := self._forced()) is not None:
            return forced
        token = str((await request.form())["token"])
        if token not in self.refresh_tokens:
            return problem(400, "invalid_token")
        self.refresh_tokens.remove(token)
        return Response()

    async def userinfo(self, request: Request) -> Response:
        if (forced := self._forced()) is not None:
            return forced
        if request.headers["authorization"] != "Bearer access-1":
            return problem(401, "invalid_token")
        return JSONResponse(self.claims)

    def _forced(self) -> Response | None:
        if self.raises is not None:
            raise self.raises
        return self.answer


def problem(status: int, error: str) -> Response:
    description = "sam@acme.test is not welcome"
    return JSONResponse({"error": error, "error_description": description}, status)


@pytest.fixture
def google() -> FakeGoogle:
    return FakeGoogle()


@pytest.fixture
async def oauth(google: FakeGoogle) -> AsyncIterator[GoogleOAuth]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(google.app)) as http:
        yield GoogleOAuth(http, ENDPOINTS)


def test_the_person_is_asked_for_lasting_access(oauth: GoogleOAuth) -> None:
    url = oauth.authorize_url(state="s", code_verifier=VERIFIER, login_hint="sam@acme.test")

    assert url.startswith("http://google.test/auth?")
    challenge = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "client_id": "client-1",
        "redirect_uri": "http://localhost:8000/callback",
        "response_type": "code",
        "scope": " ".join(ASKED_SCOPES),
        "state": "s",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "access_type": "offline",
        "prompt": "consent",
        "include_granted_scopes": "true",
        "login_hint": "sam@acme.test",
    }


async def test_a_code_becomes_tokens_once(oauth: GoogleOAuth, google: FakeGoogle) -> None:
    code = google.consent(oauth.authorize_url(state="s", code_verifier=VERIFIER))

    tokens = await oauth.exchange(code, VERIFIER)

    assert (tokens.access_token, tokens.refresh_token) == ("access-1", "refresh-1")
    assert tokens.scopes == set(NEEDED_SCOPES)
    assert timedelta(minutes=59) < tokens.expires_at - datetime.now(UTC) < timedelta(hours=1)
    with pytest.raises(AuthExpired):
        await oauth.exchange(code, VERIFIER)


async def test_a_code_without_its_verifier_is_worth_nothing(
    oauth: GoogleOAuth, google: FakeGoogle
) -> None:
    code = google.consent(oauth.authorize_url(state="s", code_verifier=VERIFIER))

    with pytest.raises(AuthExpired):
        await oauth.exchange(code, "w" * 64)


async def test_a_refresh_keeps_the_refresh_token(oauth: GoogleOAuth) -> None:
    tokens = await asyncio.gather(*[oauth.refresh("refresh-1") for _ in range(3)])

    assert {token.refresh_token for token in tokens} == {"refresh-1"}


async def test_a_revoked_token_is_dead_and_revoking_it_again_is_fine(oauth: GoogleOAuth) -> None:
    await oauth.revoke("refresh-1")
    await oauth.revoke("refresh-1")

    with pytest.raises(AuthExpired):
        await oauth.refresh("refresh-1")


async def test_the_account_says_who_it_is(oauth: GoogleOAuth, google: FakeGoogle) -> None:
    known = Identity(email="sam@acme.test", sub="42", hosted_domain="acme.test")
    assert await oauth.who("access-1") == known

    del google.claims["hd"]
    assert (await oauth.who("access-1")).hosted_domain is None
    with pytest.raises(AuthExpired):
        await oauth.who("access-2")
    del google.claims["email"]
    with pytest.raises(AccountRefused):
        await oauth.who("access-1")


@pytest.mark.parametrize(
    ("answer", "expected", "names"),
    [
        (problem(400, "invalid_grant"), AuthExpired, "connect the account again"),
        (problem(401, "invalid_client"), Misconfigured, "DRUMBEAT_GOOGLE_CLIENT_SECRET"),
        (problem(400, "unauthorized_client"), Misconfigured, "DRUMBEAT_GOOGLE_CLIENT_ID"),
        (problem(400, "redirect_uri_mismatch"), Misconfigured, "DRUMBEAT_PUBLIC_URL"),
        (problem(400, "admin_policy_enforced"), AccountRefused, "administrator"),
        (problem(429, "rate_limit"), RateLimited, "slow down"),
        (problem(503, "invalid_grant"), Unavailable, "503"),
        (problem(400, "never_heard_of"), Unavailable, "400"),
        (Response("<html>", 502), Unavailable, "502"),
        (Response("<html>", 200), Unavailable, "200"),
        (JSONResponse(["a list"]), Unavailable, "200"),
    ],
    ids=lambda value: str(bytes(value.body)) if isinstance(value, Response) else None,
)
async def test_a_refused_refresh_says_what_to_do(
    oauth: GoogleOAuth,
    google: FakeGoogle,
    answer: Response,
    expected: type[DrumbeatError],
    names: str,
) -> None:
    google.answer = answer

    with pytest.raises(DrumbeatError) as raised:
        await oauth.refresh("refresh-1")
    assert type(raised.value) is expected
    assert names in str(raised.value)
    assert "sam@" not in str(raised.value)


@pytest.mark.parametrize("lost", [httpx.ConnectError("no"), httpx.ReadTimeout("late")])
async def test_an_unreachable_google_is_asked_again_later(
    oauth: GoogleOAuth, google: FakeGoogle, lost: Exception
) -> None:
    google.raises = lost

    for asked in (oauth.refresh("refresh-1"), oauth.revoke("refresh-1"), oauth.who("access-1")):
        with pytest.raises(Unavailable):
            await asked


async def test_a_failing_google_is_not_taken_for_an_answer(
    oauth: GoogleOAuth, google: FakeGoogle
) -> None:
    google.answer = problem(500, "internal")

    for asked in (oauth.revoke("refresh-1"), oauth.who("access-1")):
        with pytest.raises(Unavailable):
            await asked


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        (NEEDED_SCOPES, ()),
        (("openid", "email", "https://mail.google.com/"), ()),
        (NEEDED_SCOPES[:2], ("https://www.googleapis.com/auth/gmail.modify",)),
        ((), NEEDED_SCOPES),
    ],
)
def test_unticked_boxes_are_named(granted: tuple[str, ...], missing: tuple[str, ...]) -> None:
    assert missing_scopes(granted) == missing


async def test_secrets_do_not_show_in_logs(oauth: GoogleOAuth) -> None:
    shown = f"{await oauth.refresh('refresh-1')} {ENDPOINTS}"

    assert not any(secret in shown for secret in ("access-1", "refresh-1", "secret-1"))
