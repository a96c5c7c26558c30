"""Whatever is wrong in a body is refused by name. The table is made from the document."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.main import openapi_document
from tests.factories import Company

Json = dict[str, Any]
DOCUMENT = openapi_document()
JSON, FORM = "application/json", "multipart/form-data"
WRONG_TYPES: dict[str, Any] = {
    "string": [{"not": "a text"}, ["x"]],
    "integer": ["twelve", 1.5, {}],
    "number": ["twelve", {}],
    "boolean": ["perhaps", 7],
    "array": ["x", 7, {"a": 1}],
    "object": ["x", 7, [1]],
}
NUL, SURROGATE = "a\x00b", "a\ud800b"


def resolve(schema: Json) -> Json:
    if "$ref" in schema:
        found: Json = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def alternatives(schema: Json) -> list[Json]:
    parts: list[Json] = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return [resolve(part) for part in parts]


# Whoever has no token or signature of the provider is refused before the body is read; and what
# a provider adds to its messages is no error.
FROM_PROVIDERS = {
    "receive_gmail_push",
    "receive_bland_news",
    "receive_unipile_news",
    "finish_connecting_linkedin",
}
OPERATIONS = [
    (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if JSON in operation.get("requestBody", {}).get("content", {})
    and operation["operationId"] not in FROM_PROVIDERS
]
every_body = pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[it["operationId"] for *_, it in OPERATIONS]
)


def fields_of(operation: Json) -> dict[str, Json]:
    fields: dict[str, Json] = {}
    body = resolve(operation["requestBody"]["content"][JSON]["schema"])
    for part in alternatives(body):
        fields |= part.get("properties", {})
    return fields


def wrong_contents(schema: Json) -> Iterator[tuple[str, Any]]:
    """What this field must refuse, with a word for it."""
    parts = alternatives(schema)
    types = {kind for part in parts for kind in ([part["type"]] if "type" in part else [])}
    if not types or any(part == {} for part in parts):
        return
    if "null" not in types and "default" not in schema:
        yield "null", None
    # Of a field that may only be null yet, whatever says something is wrong.
    for content in WRONG_TYPES[next(iter(types - {"null"}), "string")]:
        if not any(_may_be(content, kind) for kind in types):
            yield f"the wrong type {content!r}", content
    for part in parts:
        if "maxLength" in part and len(parts) <= 2:
            yield "too long", "a" * (part["maxLength"] + 1)
        if "maxItems" in part:
            yield "too many", ["a"] * (part["maxItems"] + 1)
        if part.get("type") == "string":
            yield "NUL", NUL
            yield "a lone surrogate", SURROGATE


def _may_be(content: Any, kind: str) -> bool:
    kinds: dict[str, Any] = {"string": str, "array": list, "object": dict}
    return isinstance(content, kinds.get(kind, ()))


def url_of(path: str, company: Company) -> str:
    return path.format_map(Ids(company))


class Ids(dict[str, Any]):
    def __init__(self, company: Company) -> None:
        super().__init__(company_id=company.id, step_number=1)

    def __missing__(self, key: str) -> str:
        return str(uuid4())


async def refused(
    api: httpx.AsyncClient, method: str, url: str, body: Json
) -> tuple[int, list[str]]:
    # ASCII escapes: a lone surrogate cannot be written as UTF-8.
    answer = await api.request(
        method, url, content=json.dumps(body), headers={"Content-Type": JSON}
    )
    return answer.status_code, [it["field"] for it in answer.json().get("errors", [])]


@every_body
async def test_a_field_with_an_impossible_content_is_named(
    api: httpx.AsyncClient, company: Company, method: str, path: str, operation: Json
) -> None:
    url, accepted = url_of(path, company), []
    for name, schema in fields_of(operation).items():
        for word, content in wrong_contents(schema):
            status, named = await refused(api, method, url, {name: content})
            # For some readers of JSON a lone surrogate is none.
            names = {name, "body"} if content == SURROGATE else {name}
            is_named = any(field.split(".")[0] in names for field in named)
            if status != 422 or not is_named:
                accepted.append((name, word, status, named))

    assert accepted == []


@every_body
async def test_an_unknown_field_is_named(
    api: httpx.AsyncClient, company: Company, method: str, path: str, operation: Json
) -> None:
    if any("additionalProperties" in part for part in fields_of(operation).values()):
        pytest.skip("it takes any field")
    status, named = await refused(api, method, url_of(path, company), {"no_such_field": 1})

    assert status == 422
    assert any("no_such_field" in field for field in named)


@every_body
async def test_what_is_no_json_object_is_refused(
    api: httpx.AsyncClient, company: Company, method: str, path: str, operation: Json
) -> None:
    url, accepted = url_of(path, company), []
    for text in no_objects(operation):
        answer = await api.request(
            method, url, content=text.encode(errors="surrogatepass"), headers={"Content-Type": JSON}
        )
        if answer.status_code != 422 or not answer.json()["errors"][0]["field"]:
            accepted.append((text, answer.status_code, answer.text))

    assert accepted == []


def no_objects(operation: Json) -> list[str]:
    texts = ["{", '{"a": NaN}', "[]", '"x"', "{'a': 1}", "\ud800"]
    needs_body = operation["requestBody"].get("required")
    return ["", *texts] if needs_body else texts


@every_body
async def test_ten_megabytes_are_too_many(
    api: httpx.AsyncClient, company: Company, method: str, path: str, operation: Json
) -> None:
    body = json.dumps({"name": "a" * 10_000_000})
    answer = await api.request(
        method, url_of(path, company), content=body, headers={"Content-Type": JSON}
    )

    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_table_is_not_empty() -> None:
    fields = [(op["operationId"], name) for *_, op in OPERATIONS for name in fields_of(op)]
    wrongs = [
        wrong
        for *_, op in OPERATIONS
        for it in fields_of(op).values()
        for wrong in wrong_contents(it)
    ]

    assert len(OPERATIONS) >= 15
    assert len(fields) >= 100
    assert len(wrongs) >= 400
