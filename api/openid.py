"""Tokens of an OpenID provider that this installation trusts (OpenID Connect Core 1.0)."""

import logging
import time
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from shared.errors import Misconfigured, NotAuthenticated

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]
# A key that we do not know has us ask again, but not for every token that somebody makes up.
ASK_AGAIN_SECONDS = 30.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdPerson:
    """`subject`: the issuer and its name for this person, which never changes."""

    subject: str
    email: str
    name: str


class OpenIdProvider:
    def __init__(
        self, http: httpx.AsyncClient, *, issuer: str, audience: str, jwks_url: str
    ) -> None:
        self._http = http
        self._issuer = issuer
        self._audience = audience
        self._jwks_url = jwks_url
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._asked_at = float("-inf")

    def has_issued(self, token: str) -> bool:
        """What the token says of itself; `read` finds out whether it is true."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return False
        return claims.get("iss") == self._issuer

    async def read(self, token: str) -> OpenIdPerson:
        """Raises NotAuthenticated, also for an address that the provider has not verified."""
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except jwt.InvalidTokenError:
            raise NotAuthenticated(
                "The sign-in provider's token has expired or is not for us: sign in there again"
            ) from None
        return _person(self._issuer, claims)

    async def _key(self, key_id: str | None) -> jwt.PyJWK:
        now = time.monotonic()
        if key_id not in self._keys and now - self._asked_at > ASK_AGAIN_SECONDS:
            self._asked_at = now
            self._keys = await self._fetch() or self._keys
        if key_id not in self._keys:
            raise NotAuthenticated("The sign-in provider has no key of this token's name")
        return self._keys[key_id]

    async def _fetch(self) -> dict[str | None, jwt.PyJWK]:
        try:
            answer = await self._http.get(self._jwks_url)
            answer.raise_for_status()
            return {key.key_id: key for key in jwt.PyJWKSet.from_dict(answer.json()).keys}
        except (httpx.HTTPError, jwt.PyJWTError, ValueError) as error:
            _log.warning("openid.keys_not_fetched %s", type(error).__name__)
            return {}


def openid_provider(
    http: httpx.AsyncClient, *, issuer: str | None, audience: str | None, jwks_url: str | None
) -> OpenIdProvider | None:
    """None: people sign in with passwords only."""
    if issuer and audience and jwks_url:
        return OpenIdProvider(http, issuer=issuer, audience=audience, jwks_url=jwks_url)
    if issuer or audience or jwks_url:
        names = ("DRUMBEAT_OIDC_ISSUER", "DRUMBEAT_OIDC_AUDIENCE", "DRUMBEAT_OIDC_JWKS_URL")
        raise Misconfigured(f"Set all of {', '.join(names)}, or none of them")
    return None


def _person(issuer: str, claims: dict[str, Any]) -> OpenIdPerson:
    email = claims.get("email")
    # An address that anybody may claim would open somebody else's companies.
    if not isinstance(email, str) or claims.get("email_verified") not in {True, "true"}:
        raise NotAuthenticated("The sign-in provider does not say that it has verified an address")
    name = claims.get("name")
    return OpenIdPerson(
        subject=f"{issuer} {claims['sub']}",
        email=email.strip().lower(),
        name=name if isinstance(name, str) and name else email,
    )
