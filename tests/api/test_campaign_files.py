"""A campaign as a file: applied, exported, described."""

from pathlib import Path

import httpx
import jsonschema_rs
import pytest

from shared.db.models import CampaignRow
from tests.api.test_campaigns import make_campaign
from tests.api.test_definitions import MAIL, TREE, put_tree
from tests.factories import Company

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.yaml"))}


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example_is_applied_once_and_changes_nothing_again(
    api: httpx.AsyncClient, company: Company, name: str
) -> None:
    url = await make_campaign(api, steps=0)
    text = EXAMPLES[name]

    first = await api.put(f"{url}/file", content=text)
    second = await api.put(f"{url}/file", content=text)
    exported = await api.get(f"{url}/file")
    third = await api.put(f"{url}/file", content=exported.text)

    assert first.status_code == 200, first.text
    assert first.json()["changed"]
    assert [second.json()["changes"], third.json()["changes"]] == [[], []]
    assert exported.headers["content-type"].startswith("application/yaml")
    errors = [it for it in first.json()["problems"] if it["severity"] == "error"]
    assert [error["code"] for error in errors] == (["no_account"] if name == "all-channels" else [])


async def test_a_dry_run_of_a_file_says_what_would_change_and_changes_nothing(
    api: httpx.AsyncClient,
) -> None:
    url = await make_campaign(api, steps=0)
    await put_tree(api, url, [{"key": "a", **MAIL}, {"key": "b", **MAIL}])
    before = (await api.get(f"{url}/file")).text
    text = before.replace("key: b", "key: c").replace("type: email", "type: multi")

    dry = await api.put(f"{url}/file?dry_run=true", content=text)

    assert dry.json()["changes"] == [
        "type: email -> multi",
        "step b is removed (it was step 2)",
        "step c is added as step 2, email",
    ]
    assert (await api.get(f"{url}/file")).text == before


async def test_a_file_on_a_running_campaign_is_published(
    api: httpx.AsyncClient, company: Company
) -> None:
    campaign = await company.make_campaign()
    url = f"/api/campaigns/{campaign.id}"
    text = (await api.get(f"{url}/file")).text

    same = await api.put(f"{url}/file", content=text)
    versions = (await api.get(f"{url}/versions")).json()["items"]
    added = text + "  - key: last\n    channel: task\n    message_template: Write a letter\n"
    changed = await api.put(f"{url}/file", content=added)

    assert same.json()["changed"] is False
    assert changed.json()["changes"] == ["step last is added as step 4, task"]
    assert [len(versions), len((await api.get(f"{url}/versions")).json()["items"])] == [1, 2]
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
    assert row.needs == ["accounts"]


async def test_a_wrong_file_names_line_and_column(api: httpx.AsyncClient) -> None:
    url = await make_campaign(api, steps=0)

    answer = await api.put(
        f"{url}/file", content="name: x\ntype: email\nsteps:\n  - channel: pigeon\n"
    )

    assert answer.status_code == 422
    places = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert places["steps.0.channel"].startswith("line 4, column 5: ")


async def test_the_published_schema_takes_what_we_take(anybody: httpx.AsyncClient) -> None:
    schema = (await anybody.get("/schemas/campaign.json")).json()
    validator = jsonschema_rs.validator_for(schema)

    assert validator.is_valid({"name": "x", "type": "multi", "steps": TREE})
    assert not validator.is_valid({"name": "x", "type": "multi", "steps": [{"channel": "email"}]})
