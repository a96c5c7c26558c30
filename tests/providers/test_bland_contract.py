"""Whatever our client asks of Bland, a server that nobody here wrote accepts by the spec."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from activities.phone_lines import details_of
from api.schemas.calls import CallOptions
from deploy.sandbox.contract import SPECS
from shared.db.repositories.versions import Content
from shared.providers.bland import BlandClient, CallOrder
from tests.fakes.prism import VIOLATIONS, prism_server

SPEC = SPECS / "bland.openapi.yaml"
PHONE = "+49301234567"
EVERYTHING: dict[str, Any] = {
    "voice": "June",
    "language": "de",
    "model": "base",
    "first_sentence": "Hello {{ lead.first_name }}",
    "wait_for_greeting": True,
    "voicemail": {"action": "leave_message", "message": "This is Sam, {{ lead.first_name }}."},
    "max_duration": 5,
    "record": True,
    "from_number": "+15557654321",
    "summary_prompt": "Two sentences.",
    "keywords": ["Acme"],
    "background_track": "office",
    "interruption_threshold": 500,
    "discloses_ai": False,
    "lets_opt_out": True,
}
PATHWAY: dict[str, Any] = {"pathway_id": "a0f0d4ed", "pathway_version": 2}


@pytest.fixture(scope="session")
async def prism() -> AsyncIterator[str]:
    async with prism_server(SPEC) as url:
        yield url


@pytest.fixture
async def client(prism: str) -> AsyncIterator[BlandClient]:
    async def must_fit(answer: httpx.Response) -> None:
        await answer.aread()
        assert VIOLATIONS not in answer.headers, answer.headers[VIOLATIONS]
        assert answer.status_code == 200, answer.text

    async with httpx.AsyncClient(event_hooks={"response": [must_fit]}) as http:
        yield BlandClient(http, endpoint=prism, api_key="key")


@pytest.mark.parametrize(
    "options", [{}, EVERYTHING, PATHWAY], ids=["plain", "everything", "a pathway"]
)
async def test_a_call_fits(client: BlandClient, options: dict[str, Any]) -> None:
    assert await client.place(_order(options))


async def test_the_other_requests_fit(client: BlandClient) -> None:
    now = datetime(2023, 12, 22, tzinfo=UTC)

    await client.check()
    await client.stop("9d404c1b")
    assert (await client.read("9d404c1b")).call_id
    # The example's metadata is not ours, but the question was understood.
    assert await client.find(key="k", to=PHONE, since=now) is None


async def test_what_does_not_fit_is_noticed(prism: str) -> None:
    """Otherwise the tests above would prove nothing."""
    async with httpx.AsyncClient(base_url=prism, headers={"authorization": "key"}) as http:
        wrong = await http.post("/v1/calls", json={"phone_number": PHONE, "task": "x", "no": 1})
        keyless = await http.get("/v1/calls", headers={"authorization": ""})
        short = await http.post("/v1/calls", json={"phone_number": "030 123", "task": "x"})

    assert VIOLATIONS in wrong.headers
    assert VIOLATIONS in short.headers
    assert keyless.status_code == 401


def test_every_option_of_a_step_is_tried_here() -> None:
    tried = EVERYTHING.keys() | PATHWAY.keys()

    assert CallOptions.model_fields.keys() == tried


def test_the_spec_s_examples_fit_their_schemas() -> None:
    from openapi_schema_validator import OAS30Validator  # noqa: PLC0415 - takes half a second

    spec = yaml.safe_load(Path(SPEC).read_text())
    checked = 0
    for operations in spec["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                found = answer
                if "$ref" in answer:
                    found = spec["components"]["responses"][answer["$ref"].rpartition("/")[2]]
                media = found["content"]["application/json"]
                schema = {**media["schema"], "components": spec["components"]}
                for example in media.get("examples", {}).values():
                    assert list(OAS30Validator(schema).iter_errors(example["value"])) == []
                    checked += 1
    assert checked > 20


def _order(options: dict[str, Any]) -> CallOrder:
    kept = CallOptions.model_validate(options).model_dump(mode="json", exclude_none=True)
    content = Content(subject=None, message_template="Call {{ lead.first_name }}.", options=kept)
    values = {"lead": {"first_name": "Ada"}}
    return CallOrder(
        to=PHONE,
        key="k",
        webhook="https://gateway.test/webhooks/bland?t=x",
        details=details_of(content, values=values, zone="Europe/Berlin"),
    )
