"""A Google small enough to read: gives tokens for a code, says whose they are, revokes them."""

import hashlib
from base64 import urlsafe_b64encode
from functools import cached_property
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import httpx
from fastapi import FastAPI, Form, Header, HTTPException
from starlette.types import Receive, Scope, Send

from shared.providers.gmail_settings import GmailSettings
from shared.providers.google_oauth import NEEDED_SCOPES, GoogleEndpoints, GoogleOAuth
from shared.tokens import AccountRef
from tests.fakes.gmail import FakeTokens

GOOGLE = "http://google.test"


class FakeGoogle:
    """`consent` is what a person's browser does on Google's page; it answers with the code."""

    def __init__(self) -> None:
        self.email = "Ada@Gmail.test"
        self.scopes: tuple[str, ...] = NEEDED_SCOPES
        self.revoked: list[str] = []
        self.is_down = False
        self.aliases: list[dict[str, object]] = [
            {"sendAsEmail": "ada@gmail.test", "isPrimary": True, "isDefault": True},
            {
                "sendAsEmail": "Sales@Acme.test",
                "displayName": "Ada of Acme",
                "signature": "<b>Ada</b>",
                "verificationStatus": "accepted",
            },
            {"sendAsEmail": "new@acme.test", "verificationStatus": "pending"},
        ]
        self._challenges: dict[str, str] = {}

    def oauth(self, *, redirect_uri: str) -> GoogleOAuth:
        endpoints = GoogleEndpoints(
            auth_url=f"{GOOGLE}/auth",
            token_url=f"{GOOGLE}/token",
            revoke_url=f"{GOOGLE}/revoke",
            userinfo_url=f"{GOOGLE}/userinfo",
            client_id="client",
            client_secret="client-secret",
            redirect_uri=redirect_uri,
        )
        http = httpx.AsyncClient(transport=httpx.ASGITransport(self._answer), base_url=GOOGLE)
        return GoogleOAuth(http, endpoints)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    @cached_property
    def _app(self) -> FastAPI:
        """Most tests never ask Google, and making this takes longer than many of them."""
        app = FastAPI()
        app.post("/token")(self.token)
        app.post("/revoke")(self.revoke)
        app.get("/userinfo")(self.userinfo)
        return app

    def settings_of(self, account: AccountRef) -> GmailSettings:
        """The account's settings in Gmail."""
        app = FastAPI()
        app.get("/gmail/v1/users/me/settings/sendAs")(self.send_as)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=GOOGLE)
        return GmailSettings(http, endpoint=GOOGLE, tokens=FakeTokens())

    async def send_as(self) -> dict[str, object]:
        return {"sendAs": self.aliases}

    def consent(self, authorize_url: str) -> dict[str, str]:
        """Agree. Returns the parameters with which Google sends the person back."""
        asked = {name: value for name, [value] in parse_qs(urlsplit(authorize_url).query).items()}
        code = f"code-{len(self._challenges)}"
        self._challenges[code] = asked["code_challenge"]
        return {"code": code, "state": asked["state"]}

    async def token(
        self, code: Annotated[str, Form()], code_verifier: Annotated[str, Form()]
    ) -> dict[str, object]:
        digest = hashlib.sha256(code_verifier.encode()).digest()
        challenge = urlsafe_b64encode(digest).decode().rstrip("=")
        if self._challenges.pop(code, None) != challenge:
            raise HTTPException(400)
        return {
            "access_token": f"access-{code}",
            "refresh_token": f"refresh-{code}",
            "expires_in": 3600,
            "scope": " ".join(self.scopes),
        }

    async def userinfo(self, authorization: Annotated[str, Header()]) -> dict[str, str]:
        assert authorization.startswith("Bearer access-")
        return {"email": self.email, "sub": "1"}

    async def revoke(self, token: Annotated[str, Form()]) -> None:
        if self.is_down:
            raise HTTPException(503)
        self.revoked.append(token)
