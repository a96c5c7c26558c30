"""What is the same for every route: problems, limits, CORS, the document, health."""

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.body_limit import LARGEST_BODY
from api.container import Container, build_container
from api.main import create_app, openapi_document
from api.services.readiness import ReadinessService
from deploy.local.postgres import Postgres
from deploy.local.temporal import Temporal
from shared.config import Settings
from shared.errors import Misconfigured
from tests.api.conftest import FRONTEND
from tests.api.test_bad_input import Ids
from tests.factories import Company

Json = dict[str, Any]
OPERATIONS = [
    operation
    for operations in openapi_document()["paths"].values()
    for operation in operations.values()
]


async def test_a_body_that_is_too_large_is_refused(
    api: httpx.AsyncClient, company: Company
) -> None:
    async def endless() -> Any:
        for _ in range(LARGEST_BODY // 65_536 + 1):
            yield b" " * 65_536

    answer = await api.post(
        f"/api/companies/{company.id}/leads",
        content=endless(),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 413
    assert answer.json()["type"] == "/problems/too-large"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/api/campaigns", 405)]
)
async def test_a_wrong_address_is_a_problem_too(
    api: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await api.request(method, path)

    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == path


async def test_a_method_that_a_path_does_not_take_is_a_405(
    api: httpx.AsyncClient, company: Company
) -> None:
    """Not the 422 of the route beside it, which would take its last word for an id."""
    ids = Ids(company)
    ids["number"] = 1
    for path, operations in openapi_document()["paths"].items():
        if path.endswith("}"):
            continue
        taken = {method.upper() for method in operations}
        for method in sorted({"GET", "POST", "PUT", "DELETE", "PATCH"} - taken):
            answer = await api.request(method, path.format_map(ids))

            assert answer.status_code == 405, (method, path, answer.text)
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == taken


async def test_broken_json_is_a_problem(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/api/campaigns", content="{", headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422
    [wrong] = answer.json()["errors"]
    assert wrong["field"] == "body"
    assert wrong["message"].startswith("This is no JSON: ")


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"name": "S", "type": "email", "nmae": "S"}, "nmae", "no such field"),
        ([1], "body", "Send a JSON object"),
        ({"type": "email"}, "name", "This field is needed"),
    ],
)
async def test_a_wrong_shape_is_told_in_words(
    api: httpx.AsyncClient, body: object, field: str, words: str
) -> None:
    answer = await api.post("/api/campaigns", json=body)

    [wrong] = answer.json()["errors"]
    assert wrong["field"] == field
    assert words in wrong["message"]


async def test_an_error_that_nobody_foresaw_says_a_log_id_and_nothing_else(
    app: FastAPI, anybody: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    address = "@".join(("ada", "example.com"))

    @app.get("/breaks")
    async def breaks() -> None:
        raise RuntimeError(address)

    answer = await anybody.get("/breaks", headers={"Origin": FRONTEND})

    assert answer.status_code == 500
    assert answer.headers["Access-Control-Allow-Origin"] == FRONTEND
    assert address not in answer.text + caplog.text
    log_id = answer.json()["detail"].split()[-1].strip(".")
    assert log_id in caplog.text
    assert "RuntimeError" in caplog.text


async def test_a_frontend_on_another_origin_may_call(anybody: httpx.AsyncClient) -> None:
    asks = {
        "Origin": FRONTEND,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type",
    }

    known = await anybody.options("/api/campaigns", headers=asks)
    unknown = await anybody.options("/api/campaigns", headers=asks | {"Origin": "http://evil.test"})

    assert known.status_code == 200
    assert known.headers["Access-Control-Allow-Credentials"] == "true"
    assert "PUT" in known.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Origin" not in unknown.headers


async def test_health_readiness_and_numbers_are_public(anybody: httpx.AsyncClient) -> None:
    health = await anybody.get("/healthz")
    ready = await anybody.get("/readyz")
    numbers = await anybody.get("/metrics")

    assert (health.json(), ready.status_code) == ({"status": "ok"}, 200)
    assert 'drumbeat_http_requests_total{method="GET",route="/healthz",status="200"} 1.0' in (
        numbers.text
    )


async def test_a_part_that_is_away_makes_the_gateway_not_ready() -> None:
    async def fine() -> None:
        return None

    async def away() -> None:
        raise ConnectionError

    readiness = ReadinessService({"database": fine, "temporal": away})

    assert await readiness.look() == {"database": "ok", "temporal": "ConnectionError"}


async def test_readyz_says_which_part_is_away(container: Container) -> None:
    async def away() -> None:
        raise ConnectionError

    broken = replace(container, readiness=ReadinessService({"temporal": away}))
    transport = httpx.ASGITransport(create_app(broken))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as anybody:
        answer = await anybody.get("/readyz")

    assert answer.status_code == 503
    assert "temporal" in answer.json()["detail"]


@pytest.fixture
def settings(postgres: Postgres, temporal_server: Temporal) -> Settings:
    return Settings(
        _env_file=None,
        database_url=postgres.app_url,
        temporal_address=temporal_server.address,
        secret_key="s" * 32,
        encryption_keys="k1:" + "A" * 43 + "=",
    )


async def test_the_real_parts_are_wired_and_ready(settings: Settings) -> None:
    container = await build_container(settings)
    app = create_app(container)

    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://g.test") as anybody,
    ):
        answer = await anybody.get("/readyz")

    assert answer.json()["parts"] == {"database": "ok", "temporal": "ok"}


async def test_the_gateway_does_not_start_as_the_tables_owner(
    settings: Settings, postgres: Postgres
) -> None:
    with pytest.raises(Misconfigured, match="drumbeat_owner"):
        await build_container(settings.model_copy(update={"database_url": postgres.owner_url}))


async def test_the_gateway_names_every_setting_that_it_lacks() -> None:
    with pytest.raises(Misconfigured) as refused:
        await build_container(Settings(_env_file=None))

    for name in ("DATABASE_URL", "TEMPORAL_ADDRESS", "SECRET_KEY", "ENCRYPTION_KEYS"):
        assert name in str(refused.value)


@pytest.mark.parametrize("operation", OPERATIONS, ids=[o["operationId"] for o in OPERATIONS])
def test_every_operation_is_documented(operation: Json) -> None:
    assert operation["description"]
    answers = operation["responses"]
    assert "500" in answers
    # A page that a person looks at tells them so on a page.
    is_page = "text/html" in answers.get("200", {}).get("content", {})
    for status, answer in answers.items():
        if status >= "400" and not (is_page and "text/html" in answer["content"]):
            assert "application/problem+json" in answer["content"], status


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS]

    assert len(ids) == len(set(ids))


def test_every_body_has_an_example() -> None:
    document = openapi_document()
    schemas = document["components"]["schemas"]
    without = []
    for operation in OPERATIONS:
        body = operation.get("requestBody")
        if body is None:
            continue
        # What a file is like is no example that helps.
        kinds = body["content"].items()
        schemas_of = [it["schema"] for kind, it in kinds if kind == "application/json"]
        parts = [part for schema in schemas_of for part in (schema, *schema.get("anyOf", []))]
        refs = [part.get("$ref") for part in parts]
        for ref in filter(None, refs):
            model = schemas[ref.rpartition("/")[2]]
            has_one = "examples" in model or any(
                "examples" in field for field in model["properties"].values()
            )
            if not has_one:
                without.append(operation["operationId"])
    assert without == []


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_the_pages_of_the_document_need_no_other_host(
    anybody: httpx.AsyncClient, page: str
) -> None:
    answer = await anybody.get(page)
    parts = re.findall(r'(?:src|href)="([^"]+)"', answer.text)

    assert answer.status_code == 200
    assert len(parts) >= 2
    for part in parts:
        assert part.startswith("/"), part
        assert (await anybody.get(part)).status_code == 200, part
