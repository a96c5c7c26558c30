"""Connecting a Google account: consent, tokens, and who it was.

Authlib writes the requests of RFC 6749 and RFC 7636, our httpx carries them; Authlib's own client
would bring a second HTTP library and keep the last account's token in itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from shared.errors import (
    AccountRefused,
    AuthExpired,
    DrumbeatError,
    Misconfigured,
    RateLimited,
    Unavailable,
)

Json = dict[str, Any]

_GMAIL = "https://www.googleapis.com/auth/gmail.modify"
_EMAIL = "https://www.googleapis.com/auth/userinfo.email"
_SEND = "https://www.googleapis.com/auth/gmail.send"
NEEDED_SCOPES = ("openid", _EMAIL, _GMAIL)
# Sending is part of `gmail.modify`; named, the consent page says it in so many words.
ASKED_SCOPES = (*NEEDED_SCOPES, _SEND)
_SAME_AS = {"email": _EMAIL, "https://mail.google.com/": _GMAIL}

_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
_WRONG_CLIENT = (
    "Google does not accept our OAuth client: check DRUMBEAT_GOOGLE_CLIENT_ID and "
    "DRUMBEAT_GOOGLE_CLIENT_SECRET."
)
_WRONG_ADDRESS = (
    "Google does not know our redirect address: register it with the OAuth client and check "
    "DRUMBEAT_PUBLIC_URL."
)
_RECONNECT = "Google no longer accepts this connection: connect the account again."
_NOT_ALLOWED = "The administrator of this Google Workspace does not allow this application."

# `error` of RFC 6749 section 5.2 and Google's own codes.
_ERRORS: dict[str, tuple[Callable[[str], DrumbeatError], str]] = {
    "invalid_grant": (AuthExpired, _RECONNECT),
    "invalid_client": (Misconfigured, _WRONG_CLIENT),
    "unauthorized_client": (Misconfigured, _WRONG_CLIENT),
    "deleted_client": (Misconfigured, _WRONG_CLIENT),
    "disabled_client": (Misconfigured, _WRONG_CLIENT),
    "redirect_uri_mismatch": (Misconfigured, _WRONG_ADDRESS),
    "admin_policy_enforced": (AccountRefused, _NOT_ALLOWED),
    "org_internal": (AccountRefused, _NOT_ALLOWED),
    "access_denied": (AccountRefused, _NOT_ALLOWED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleEndpoints:
    auth_url: str
    token_url: str
    revoke_url: str
    userinfo_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """`scopes` are those that were granted, which can be fewer than were asked for."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """`sub` never changes; `hosted_domain` is that of a Google Workspace."""

    email: str
    sub: str
    hosted_domain: str | None


def missing_scopes(granted: Iterable[str]) -> tuple[str, ...]:
    """What we need and people have not ticked."""
    have = {_SAME_AS.get(scope, scope) for scope in granted}
    return tuple(scope for scope in NEEDED_SCOPES if scope not in have)


def reason_for_missing(granted: Iterable[str]) -> str:
    """What a person has to tick, in the words that stand on Google's page."""
    granted = frozenset(granted)
    missing = missing_scopes(granted)
    if _GMAIL not in missing:
        return f"Google was not allowed {', '.join(missing)}: connect again and tick every box"
    allowed = "Only sending was allowed" if _SEND in granted else "Reading mail was not allowed"
    return (
        f"{allowed}, so answers cannot be heard (gmail.modify): connect again and tick “Read,"
        " compose and send emails from your Gmail account”"
    )


class GoogleOAuth:
    def __init__(self, http: httpx.AsyncClient, endpoints: GoogleEndpoints) -> None:
        self._http = http
        self._at = endpoints

    @property
    def is_real(self) -> bool:
        """Whether it is Google itself, whose limits hold, and no sandbox."""
        return (urlsplit(self._at.token_url).hostname or "").endswith(".googleapis.com")

    def authorize_url(
        self,
        *,
        state: str,
        code_verifier: str,
        scopes: Iterable[str] = ASKED_SCOPES,
        login_hint: str | None = None,
    ) -> str:
        """Where to send the person. Keep `state` and `code_verifier` for the callback."""
        optional = {"login_hint": login_hint} if login_hint else {}
        uri: str = prepare_grant_uri(
            self._at.auth_url,
            client_id=self._at.client_id,
            response_type="code",
            redirect_uri=self._at.redirect_uri,
            scope=" ".join(scopes),
            state=state,
            code_challenge=create_s256_code_challenge(code_verifier),
            code_challenge_method="S256",
            access_type="offline",
            prompt="consent",  # without it, a second consent brings no refresh token
            include_granted_scopes="true",
            **optional,
        )
        return uri

    async def exchange(self, code: str, code_verifier: str) -> Tokens:
        """AuthExpired when the code was used before or is too old."""
        return await self._tokens(
            "authorization_code",
            code=code,
            code_verifier=code_verifier,
            redirect_uri=self._at.redirect_uri,
        )

    async def refresh(self, refresh_token: str) -> Tokens:
        """AuthExpired when a person has to connect the account again."""
        return await self._tokens("refresh_token", refresh_token=refresh_token)

    async def revoke(self, token: str) -> None:
        """The token and all that came with it. One that Google does not know is revoked too."""
        response = await self._post(self._at.revoke_url, urlencode({"token": token}))
        if response.is_error and _body(response).get("error") != "invalid_token":
            raise _translated(response)

    async def who(self, access_token: str) -> Identity:
        headers = {"authorization": f"Bearer {access_token}"}
        try:
            response = await self._http.get(self._at.userinfo_url, headers=headers)
        except httpx.RequestError as error:
            raise Unavailable("Google could not be reached.") from error
        if response.status_code in {401, 403}:
            raise AuthExpired(_RECONNECT)
        if not response.is_success:
            raise _translated(response)
        claims = _body(response)
        if "email" not in claims or "sub" not in claims:
            message = "Google did not say whose account this is: connect it again, tick every box."
            raise AccountRefused(message)
        return Identity(email=claims["email"], sub=claims["sub"], hosted_domain=claims.get("hd"))

    async def _tokens(self, grant_type: str, **parameters: str) -> Tokens:
        # The client goes into the body: client_secret_post of RFC 6749 section 2.3.1.
        client = {"client_id": self._at.client_id, "client_secret": self._at.client_secret}
        form = prepare_token_request(grant_type, **parameters, **client)
        asked_at = datetime.now(UTC)
        response = await self._post(self._at.token_url, form)
        body = _body(response)
        if not response.is_success or "access_token" not in body:
            raise _translated(response)
        return Tokens(
            access_token=body["access_token"],
            # Google names a refresh token only once; the old one stays good.
            refresh_token=body.get("refresh_token") or parameters.get("refresh_token"),
            expires_at=asked_at + timedelta(seconds=int(body.get("expires_in", 3600))),
            scopes=frozenset(body.get("scope", "").split()),
        )

    async def _post(self, url: str, form: str) -> httpx.Response:
        try:
            return await self._http.post(url, content=form, headers=_FORM)
        except httpx.RequestError as error:
            raise Unavailable("Google could not be reached.") from error


def _translated(response: httpx.Response) -> DrumbeatError:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        message = "Google asks us to slow down."
        return RateLimited(message, retry_after=timedelta(minutes=1))
    known = _ERRORS.get(str(_body(response).get("error")))
    if known is None or response.is_server_error:
        return Unavailable(f"Google could not answer ({response.status_code}).")
    error, message = known
    return error(message)


def _body(response: httpx.Response) -> Json:
    """The JSON object that was answered; an empty one for a gateway's page."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
