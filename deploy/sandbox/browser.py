"""Connects a Gmail account the way a person does: follows links and submits the consent form."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

from shared.errors import Refused


class ConsentForms(HTMLParser):
    """The forms of a page: where each one goes and what is filled in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((found.get("action", ""), {}))
        elif tag == "input" and self.forms and "name" in found:
            self.forms[-1][1][found["name"]] = found.get("value", "")


async def give_consent(http: httpx.AsyncClient, authorize_url: str, *, email: str) -> str:
    """Walk from the gateway's link to Google's page, agree as `email`, and walk back.

    Returns where the gateway sends the person in the end. Raises Refused when a page on the way
    says no: its status and the beginning of its text are in the message.
    """
    consent_url = _redirected(await http.get(authorize_url, follow_redirects=False))
    consent = await http.get(consent_url, follow_redirects=False)
    action, fields = _form_of(consent, email)
    agreed = await http.post(urljoin(consent_url, action), data=fields, follow_redirects=False)
    called_back = await http.get(_redirected(agreed), follow_redirects=False)
    if called_back.is_success:
        return str(called_back.url)
    return _redirected(called_back)


def _form_of(page: httpx.Response, email: str) -> tuple[str, dict[str, str]]:
    if page.is_success:
        for action, fields in ConsentForms(page.text).forms:
            if fields.get("email") == email:
                return action, fields
    raise Refused(f"{page.url} offers no consent for {email}: {_excerpt(page)}")


def _redirected(response: httpx.Response) -> str:
    if not response.has_redirect_location:
        raise Refused(f"{response.url} did not lead on: {_excerpt(response)}")
    return urljoin(str(response.url), response.headers["Location"])


def _excerpt(response: httpx.Response) -> str:
    return f"{response.status_code} {response.text[:300]}"
