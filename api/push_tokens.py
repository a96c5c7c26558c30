"""The tokens with which Google's Pub/Sub calls us: OpenID Connect, for our audience, by name."""

import httpx

from api.openid import OpenIdProvider
from shared.errors import Misconfigured, NotAllowed, NotAuthenticated

ISSUER = "https://accounts.google.com"


class PushTokens:
    """`email`: the service account that the subscription names; anybody at Google has a token."""

    def __init__(
        self, http: httpx.AsyncClient, *, certs_url: str, audience: str, email: str
    ) -> None:
        self._google = OpenIdProvider(http, issuer=ISSUER, audience=audience, jwks_url=certs_url)
        self._email = email.strip().lower()

    async def check(self, token: str | None) -> None:
        """Raises NotAuthenticated, or NotAllowed for somebody else whom Google knows."""
        if token is None:
            raise NotAuthenticated("Pub/Sub's token is missing: enable authentication for the push")
        caller = await self._google.read(token)
        if caller.email != self._email:
            raise NotAllowed("The token is of another service account than the one that may push")


def push_tokens(
    http: httpx.AsyncClient, *, certs_url: str, audience: str | None, email: str | None
) -> PushTokens | None:
    """None: nobody pushes to this installation."""
    if audience and email:
        return PushTokens(http, certs_url=certs_url, audience=audience, email=email)
    if audience or email:
        raise Misconfigured(
            "Set both of DRUMBEAT_PUBSUB_AUDIENCE and DRUMBEAT_PUBSUB_SERVICE_ACCOUNT, or neither"
        )
    return None
