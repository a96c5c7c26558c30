"""Whether what is asked of a provider, and what its stand-in answers, is as its spec says.

contract = Contract(SPECS / "bland.openapi.yaml")
app = contract.around(stand_in, refuse=lambda breach: JSONResponse({...}, breach.status))
assert contract.breaches == []          # every request that was made fits the spec

A request that does not fit is answered by `refuse`, as the provider would; an answer that does
not fit is the stand-in's own mistake and raises BrokenContract.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.starlette import StarletteOpenAPIRequest, StarletteOpenAPIResponse
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.validation.request.exceptions import SecurityValidationError
from openapi_schema_validator import OAS30Validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SPECS = Path(__file__).with_name("specs")


class BrokenContract(AssertionError):
    """The stand-in has said something that its provider never would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A request that does not fit. `status`: what such a provider answers, 400, 401 or 404."""

    operation: str
    status: int
    problems: tuple[str, ...]


@cache
def _read(spec: Path) -> tuple[dict[str, Any], OpenAPI]:
    """Once in a process: YAML is slow to read, and tests make stand-ins by the hundred."""
    document: dict[str, Any] = yaml.safe_load(spec.read_text(encoding="utf-8"))
    document["servers"] = [{"url": "/"}]
    return document, OpenAPI.from_dict(document)


class Contract:
    """One spec file. Its servers are left out, so that it fits wherever the stand-in listens."""

    def __init__(self, spec: Path) -> None:
        self._spec, self._openapi = _read(spec)
        self.breaches: list[Breach] = []

    def around(self, app: ASGIApp, *, refuse: Callable[[Breach], Response]) -> ASGIApp:
        """The same application, with every request and answer held against the spec."""

        async def checked(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            request = Request(scope, receive)
            body = await request.body()
            breach = self.find_breach(request, body)
            if breach is not None:
                self.breaches.append(breach)
                await refuse(breach)(scope, receive, send)
                return
            answer = await _answer_of(app, scope, body)
            self.check_answer(request, body, answer)
            await answer(scope, receive, send)

        return checked

    def find_breach(self, request: Request, body: bytes) -> Breach | None:
        """What is wrong with a request; None: nothing."""
        try:
            self._openapi.validate_request(StarletteOpenAPIRequest(request, body))
        except OpenAPIError as error:
            operation = f"{request.method} {request.url.path}"
            return Breach(operation=operation, status=_status_of(error), problems=_words_of(error))
        return None

    def check_answer(self, request: Request, body: bytes, answer: Response) -> None:
        """Raises BrokenContract."""
        try:
            self._openapi.validate_response(
                StarletteOpenAPIRequest(request, body), StarletteOpenAPIResponse(answer)
            )
        except OpenAPIError as error:
            asked = f"{request.method} {request.url.path} -> {answer.status_code}"
            raise BrokenContract(f"{asked}: {'; '.join(_words_of(error))}") from None

    def check_message(self, schema: str, message: Mapping[str, Any]) -> None:
        """A webhook's body, by the name of its schema. Raises BrokenContract."""
        whole = {"$ref": f"#/components/schemas/{schema}", "components": self._spec["components"]}
        problems = [error.message for error in OAS30Validator(whole).iter_errors(message)]
        if problems:
            raise BrokenContract(f"{schema}: {'; '.join(problems)}")


async def _answer_of(app: ASGIApp, scope: Scope, body: bytes) -> Response:
    """Let the application answer a request whose body was read already."""
    answer = Response()
    answer.raw_headers = []
    parts: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status_code = message["status"]
            answer.raw_headers = list(message["headers"])
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    answer.body = b"".join(parts)
    return answer


def _status_of(error: OpenAPIError) -> int:
    if isinstance(error, SecurityValidationError):
        return 401
    return 404 if isinstance(error, PathError) else 400


def _words_of(error: OpenAPIError) -> tuple[str, ...]:
    """The schema's own complaints where there are some, which name the field."""
    cause = error.__cause__
    complaints = tuple(
        f"{'.'.join(str(it) for it in each.absolute_path)}: {each.message}".removeprefix(": ")
        for each in getattr(cause, "schema_errors", ())
    )
    return complaints or (" ".join(filter(None, (str(error), str(cause or "")))),)
