"""What every operation of the OpenAPI document says about its errors."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api.errors import MEDIA_TYPE

PROBLEM = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened and what would help."},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "errors": {
            "type": "array",
            "description": "Each field that is wrong.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "missing": {
            "type": "array",
            "description": "What has to be done first.",
            "items": {"type": "string"},
        },
    },
}
NEEDS_COMPANY = (
    "/api/tasks",
    "/api/todos",
    "/api/appointments",
    "/api/campaigns",
    "/api/accounts",
    "/api/inbound",
    "/api/suppressions",
    "/api/messages",
    "/api/templates",
    "/api/webhooks",
    "/api/events",
)
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "New for each write, such as a UUID. For 24 hours the same key and body are"
    " answered as the first time; another body is a 422, and while the first one is at work, or"
    " when its answer held a secret, it is a 409.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "example": "0b9c1a2e-6b1f-4c58-9a44-0d6a3f1c7d10",
}
WRITES = frozenset({"post", "put", "patch", "delete"})
_MEANINGS = {
    401: "No credentials, or none that are good any more.",
    403: "The role or the key's scope is too little.",
    404: "It is not there, or belongs to another company.",
    409: "It contradicts the current state, or the same write is under way; `detail` says how.",
    412: "Another version than `If-Match` names: it was changed since.",
    413: "The body is larger than 5 MB, or than a file may be; `detail` says how much it may be.",
    415: "The body, or a file in it, is of a kind that is not read.",
    422: "A field is missing, unknown or impossible; `errors` names it.",
    429: "Too many attempts; `Retry-After` says how long to wait.",
    500: "Our fault; `detail` has the log id.",
    502: "A provider said no.",
    503: "A provider, or a setting of this installation, is missing.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: what it answers beside its success."""
    return {status: _response(status) for status in statuses}


def _response(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": _MEANINGS[status], "content": {MEDIA_TYPE: {"schema": schema}}}


def operation_id(route: APIRoute) -> str:
    """The function's name, in words that a generated client can use."""
    return route.name


def add_document(app: FastAPI) -> None:
    """Serve the document with the errors that every operation shares written into each."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            made["components"]["schemas"]["Problem"] = PROBLEM
            for name in ("HTTPValidationError", "ValidationError"):
                made["components"]["schemas"].pop(name, None)
            for path, operations in made["paths"].items():
                for method, operation in operations.items():
                    if method in WRITES:
                        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
                    _add_shared_errors(path, operation, is_write=method in WRITES)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # FastAPI's documented way to extend it


def _add_shared_errors(path: str, operation: dict[str, Any], *, is_write: bool) -> None:
    statuses = [409, 500] if is_write else [500]
    if operation.get("security"):
        statuses += [401, 403]
        # Elsewhere the caller's company has to be found, and may be ambiguous.
        if path.startswith(NEEDS_COMPANY):
            statuses.append(409)
    if "requestBody" in operation:
        statuses += [413, 422]
    if operation.get("parameters"):
        statuses.append(422)
    answers = operation["responses"]
    if "422" in answers:
        answers["422"] = _response(422)
    for status in statuses:
        answers.setdefault(str(status), _response(status))
    operation["responses"] = dict(sorted(answers.items()))
