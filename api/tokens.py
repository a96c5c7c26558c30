"""Access tokens: who somebody is, for a quarter of an hour, signed (JWT, RFC 7519)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt

from api.callers import Identity
from shared.errors import NotAuthenticated
from shared.keyring import Keyring

LIFETIME = timedelta(minutes=15)
ISSUER = "drumbeat"
ALGORITHM = "HS256"


class AccessTokens:
    def __init__(self, keyring: Keyring) -> None:
        self._key = keyring.derive("access token")

    def issue(self, user_id: UUID, company_id: UUID | None) -> str:
        now = datetime.now(UTC)
        claims = {"iss": ISSUER, "sub": str(user_id), "iat": now, "exp": now + LIFETIME}
        if company_id:
            claims["company"] = str(company_id)
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)

    def read(self, token: str) -> Identity:
        """Raises NotAuthenticated, saying whether a new one from /api/auth/refresh would do."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub"]},
            )
            company = claims.get("company")
            return Identity(
                user_id=UUID(claims["sub"]), company_id=UUID(company) if company else None
            )
        except jwt.ExpiredSignatureError:
            raise NotAuthenticated(
                "The access token has expired: get a new one from POST /api/auth/refresh"
            ) from None
        except (jwt.InvalidTokenError, ValueError):
            raise NotAuthenticated(
                "This is no access token of ours: get one from POST /api/auth/login"
            ) from None
