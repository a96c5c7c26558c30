"""Steps with conditions: one by one, and as a tree."""

from typing import Any

import httpx
import pytest

from shared.db.models import RecipientRow
from tests.api.test_campaigns import make_campaign
from tests.factories import NOON, Company

Json = dict[str, Any]
MAIL = {"channel": "email", "subject": "Hello", "message_template": "Hello {{ lead.first_name }}"}
CALL = {"key": "call", "channel": "call", "message_template": "Say hello"}
TREE: list[Json] = [
    {"key": "invite", "channel": "linkedin_connection", "message_template": "May I add you?"},
    {
        "if": {"step": "invite", "outcome": "connected", "within_days": 5},
        "then": [
            {
                "key": "chat",
                "channel": "linkedin_message",
                "delay_hours": 4,
                "message_template": "Thank you",
                "inmail": True,
            }
        ],
        "else": [
            {"key": "mail", **MAIL},
            {
                "if": {"lead": "fit_score", "test": "at_least", "value": 80},
                "then": [
                    {
                        "key": "note",
                        "channel": "task",
                        "message_template": "Look",
                        "task": {"due_days": 2},
                    }
                ],
            },
        ],
    },
]


async def put_tree(api: httpx.AsyncClient, url: str, steps: list[Json]) -> Json:
    answer = await api.put(f"{url}/definition", json={"steps": steps})
    assert answer.status_code == 200, answer.text
    changed: Json = answer.json()
    return changed


async def test_a_tree_comes_back_as_it_was_put(api: httpx.AsyncClient) -> None:
    url = await make_campaign(api, steps=0)

    changed = await put_tree(api, url, TREE)
    read = await api.get(f"{url}/definition")

    assert changed["steps"] == TREE
    assert read.json()["steps"] == TREE
    assert {"done_by_hand"} == {problem["code"] for problem in changed["problems"]}


async def test_the_row_of_a_tree_carries_the_conditions_above_each_step(
    api: httpx.AsyncClient,
) -> None:
    url = await make_campaign(api, steps=0)
    await put_tree(api, url, TREE)

    row = (await api.get(f"{url}/sequences")).json()

    invite = row[0]["id"]
    connected = {"step": invite, "outcome": "connected", "within_days": 5}
    fits = {"lead": "fit_score", "test": "at_least", "value": 80}
    assert [(step["step_number"], step["key"], step["when"]) for step in row] == [
        (1, "invite", []),
        (2, "chat", [connected]),
        (3, "mail", [connected | {"is_met": False}]),
        (4, "note", [connected | {"is_met": False}, fits]),
    ]
    assert (row[1]["inmail"], row[3]["task"]) == (True, {"assignee_id": None, "due_days": 2})
    sent_back = await api.put(f"{url}/sequences/4", json=row[3])
    assert sent_back.json() == row[3]


async def test_steps_with_conditions_are_added_one_by_one(api: httpx.AsyncClient) -> None:
    url = await make_campaign(api, steps=0)
    for step in (
        CALL,
        {**MAIL, "key": "thanks", "when": [{"step": 1, "outcome": "answered"}]},
        {**MAIL, "when": [{"step": "call", "outcome": "answered", "is_met": False}]},
    ):
        added = await api.post(f"{url}/sequences", json=step)
        assert added.status_code == 201, added.text

    tree = (await api.get(f"{url}/definition")).json()["steps"]

    assert tree == [
        CALL,
        {
            "if": {"step": "call", "outcome": "answered"},
            "then": [{"key": "thanks", **MAIL}],
            "else": [{"key": "email-1", **MAIL}],
        },
    ]


async def test_a_step_keeps_its_id_by_its_key(api: httpx.AsyncClient) -> None:
    url = await make_campaign(api, steps=0)
    await put_tree(api, url, [{"key": "a", **MAIL}, {"key": "b", **MAIL}, {"key": "c", **MAIL}])
    before = {step["key"]: step["id"] for step in (await api.get(f"{url}/sequences")).json()}

    await put_tree(api, url, [{"key": "c", **MAIL}, {"key": "x", **MAIL}, {"key": "a", **MAIL}])

    after = {step["key"]: step["id"] for step in (await api.get(f"{url}/sequences")).json()}
    assert list(after) == ["c", "x", "a"]
    assert (after["a"], after["c"]) == (before["a"], before["c"])
    assert after["x"] not in before.values()


async def test_a_step_that_others_ask_for_stays(api: httpx.AsyncClient) -> None:
    url = await make_campaign(api, steps=0)
    await put_tree(api, url, TREE)

    removed = await api.delete(f"{url}/sequences/1")

    assert removed.status_code == 409
    assert "Step 2 asks what came of step 1" in removed.json()["detail"]


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        pytest.param(
            [{"if": {"step": "nobody", "outcome": "done"}, "then": [MAIL]}],
            "steps.0.if.step",
            id="an unknown step",
        ),
        pytest.param(
            [CALL, {"if": {"step": "call", "outcome": "sung"}, "then": [MAIL]}],
            "steps.1.if.outcome",
            id="no outcome",
        ),
        pytest.param(
            [{"if": {"lead": "shoe_size", "value": "44"}, "then": [MAIL]}],
            "steps.0.if",
            id="no field of a lead",
        ),
        pytest.param(
            [{"key": "a", **MAIL, "message_template": "{{ lead."}],
            "steps.0.message_template",
            id="a broken template",
        ),
        pytest.param([{"key": "a", **MAIL}, {"key": "a", **MAIL}], "steps", id="a key twice"),
        pytest.param([{**MAIL, "inmail": True}], "steps.0.inmail", id="an InMail by mail"),
    ],
)
async def test_a_wrong_tree_names_the_place(
    api: httpx.AsyncClient, steps: list[Json], field: str
) -> None:
    url = await make_campaign(api, steps=0)

    answer = await api.put(f"{url}/definition", json={"steps": steps})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_tree_that_was_changed_meanwhile_is_not_overwritten(api: httpx.AsyncClient) -> None:
    url = await make_campaign(api, steps=1)
    tag = (await api.get(f"{url}/definition")).headers["ETag"]
    await put_tree(api, url, [MAIL])

    late = await api.put(f"{url}/definition", json={"steps": TREE}, headers={"If-Match": tag})

    assert late.status_code == 412


async def test_what_can_never_work_is_not_activated(
    api: httpx.AsyncClient, company: Company
) -> None:
    url = await make_campaign(api, steps=0)
    answered = {"step": "call", "outcome": "answered"}
    tree: list[Json] = [
        CALL,
        {"if": answered, "then": [{"if": answered, "else": [MAIL]}]},
        {"if": {"step": "call", "outcome": "opened"}, "then": [MAIL]},
    ]
    problems = (await put_tree(api, url, tree))["problems"]

    activated = await api.post(f"{url}/activate")

    errors = [problem for problem in problems if problem["severity"] == "error"]
    assert {error["code"] for error in errors} == {
        "unreachable",
        "impossible_outcome",
        "no_account",
    }
    assert activated.status_code == 409
    assert {error["text"] for error in errors if error["code"] != "no_account"} <= set(
        activated.json()["missing"]
    )


async def test_a_campaign_without_mail_needs_no_mailbox(api: httpx.AsyncClient) -> None:
    made = await api.post("/api/campaigns", json={"name": "Letters", "type": "multi"})
    url = f"/api/campaigns/{made.json()['id']}"
    await put_tree(api, url, [{"channel": "task", "message_template": "Write a letter"}])

    activated = await api.post(f"{url}/activate")

    assert activated.status_code == 200, activated.text


async def test_leads_without_an_address_are_told(api: httpx.AsyncClient, company: Company) -> None:
    campaign = await company.make_campaign()
    recipient = await company.make_recipient(campaign)
    url = f"/api/campaigns/{campaign.id}"
    async with company.session() as session:
        row = await session.get_one(RecipientRow, recipient.recipient_id)
        row.started_at = row.launched_at = row.next_at = NOON

    added = await api.post(
        f"{url}/sequences", json={"channel": "linkedin_message", "message_template": "Hello"}
    )

    problems = (await api.get(f"{url}/definition")).json()["problems"]
    assert added.status_code == 201, added.text
    told = [problem for problem in problems if problem["code"] == "missing_address"]
    assert [problem["severity"] for problem in told] == ["warning"]
    assert "1 of 1 leads have no linkedin_url, which step 4 needs" in told[0]["text"]


async def test_how_an_agent_talks_is_kept_and_shown_alike(api: httpx.AsyncClient) -> None:
    url = await make_campaign(api, steps=0)
    talk = {"voice": "June", "voicemail": {"action": "hangup"}, "record": False}

    added = await api.post(f"{url}/sequences", json={**CALL, "call": talk})
    tree = (await api.get(f"{url}/definition")).json()["steps"]
    text = (await api.get(f"{url}/file")).text
    applied = await api.put(f"{url}/file", content=text)
    sent_back = await api.put(f"{url}/sequences/1", json=added.json())

    assert added.json()["call"]["voice"] == "June"
    assert tree == [{**CALL, "call": talk}]
    assert applied.json()["changes"] == []
    assert sent_back.json() == added.json()
