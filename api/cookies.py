"""The two cookies of a browser's session."""

from dataclasses import dataclass

from fastapi import Response

from api.services.browser_sessions import LIFETIME, BrowserSession

SESSION, CSRF = "drumbeat_session", "drumbeat_csrf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """`is_secure`: we are reached over HTTPS, and the cookies must never leave by another way."""

    is_secure: bool

    def set(self, response: Response, opened: BrowserSession) -> None:
        """Pages read the second one; only the browser itself reads the first."""
        for name, value, is_hidden in (
            (SESSION, opened.token, True),
            (CSRF, opened.csrf_token, False),
        ):
            response.set_cookie(
                name,
                value,
                max_age=int(LIFETIME.total_seconds()),
                httponly=is_hidden,
                secure=self.is_secure,
                samesite="lax",
            )

    def clear(self, response: Response) -> None:
        for name in (SESSION, CSRF):
            response.delete_cookie(name, secure=self.is_secure, samesite="lax")
