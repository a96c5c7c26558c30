"""What of a repeated write is the same, and which answers must not be kept."""

import pytest
from fastapi.routing import APIRoute

from api.dependencies import SHOWS_SECRET
from api.main import ROUTERS, openapi_document
from api.repeats import BodyDigest


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_a_form_is_the_same_with_another_boundary(size: int) -> None:
    def digest(boundary: str, content: str = "x") -> str:
        made = BodyDigest(f'multipart/form-data; boundary="{boundary}"')
        body = (
            f"--{boundary}\r\nContent-Disposition: form-data; name=f\r\n\r\n{content}--{boundary}--"
        )
        for at in range(0, len(body), size):
            made.add(body[at : at + size].encode())
        return made.hex()

    assert digest("one") == digest("another")
    assert digest("one") != digest("one", "y")


def test_every_write_says_that_it_takes_a_key() -> None:
    for path, operations in openapi_document()["paths"].items():
        for method, operation in operations.items():
            names = {it["name"] for it in operation.get("parameters", [])}
            assert ("Idempotency-Key" in names) == (method != "get"), (method, path)


SECRETS = {"access_token", "refresh_token", "key", "secret", "invitation_token", "authorize_url"}


def test_every_answer_that_shows_a_secret_is_known() -> None:
    """`dependencies=[SHOWS_SECRET]` on its route."""
    document, forgotten = openapi_document(), []
    schemas = document["components"]["schemas"]
    flagged = {
        route.name
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and SHOWS_SECRET in route.dependencies
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                ref = answer.get("content", {}).get("application/json", {}).get("schema", {})
                model = schemas.get(ref.get("$ref", "").rpartition("/")[2], {})
                shows = SECRETS & model.get("properties", {}).keys()
                # A step's `key` is its name in a file.
                shows -= {"key"} if "step_number" in model.get("properties", {}) else set()
                if status < "300" and shows and operation["operationId"] not in flagged:
                    forgotten.append(operation["operationId"])
    assert forgotten == []
