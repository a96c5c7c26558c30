"""A campaign is edited while it runs: drafts, versions, what they change and whom they reach."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.db.models import RecipientRow
from shared.db.session import Database
from tests.api.acting import Workers
from tests.api.conftest import Login
from tests.factories import DAY, NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail
from tests.wakings import tell_everybody

Json = dict[str, Any]
NOBODY: Json = dict.fromkeys(("affected", "new_text", "earlier", "later", "skips", "ends"), 0)


@pytest.fixture
async def place(api: httpx.AsyncClient, campaign: Campaign) -> str:
    """A campaign that runs, whose edits wait for publish."""
    url = f"/api/campaigns/{campaign.id}"
    answer = await api.put(url, json={"draft_edits": True})
    assert answer.json()["draft_edits"] is True
    return url


@pytest.fixture
async def after_one(
    api: httpx.AsyncClient, company: Company, workers: Workers, place: str
) -> list[UUID]:
    """Three who have had the first mail and wait three days for the second."""
    ids = []
    for _ in range(3):
        lead_id = str(await company.make_lead())
        one = await api.post(f"{place}/recipients", json={"contact_id": lead_id})
        ids.append(UUID(one.json()["id"]))
        await workers.go_on(ids[-1])
    return ids


async def publish(api: httpx.AsyncClient, place: str, **body: Any) -> Json:
    answer = await api.post(f"{place}/publish", json=body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def edit(api: httpx.AsyncClient, place: str, number: int, **fields: Any) -> None:
    answer = await api.put(f"{place}/sequences/{number}", json=fields)
    assert answer.status_code == 200, answer.text


async def numbers(api: httpx.AsyncClient, place: str) -> list[tuple[int, int, bool]]:
    items = (await api.get(f"{place}/versions")).json()["items"]
    return [(item["number"], item["recipients"], item["is_current"]) for item in items]


async def test_drafts_wait_for_publish_and_reach_everybody_who_has_not_had_the_step(
    api: httpx.AsyncClient, place: str, workers: Workers, gmail: FakeGmail, after_one: list[UUID]
) -> None:
    await edit(api, place, 2, message_template="A better one")
    await edit(api, place, 1, message_template="Too late for these")
    assert await numbers(api, place) == [(1, 3, True)]

    found = await publish(api, place)

    assert (found["version"], found["published"]) == (2, True)
    assert await numbers(api, place) == [(2, 3, True), (1, 0, False)]
    for recipient_id in after_one:
        at = await workers.next_at(recipient_id)
        assert at is not None
        await workers.go_on(recipient_id, at)
    texts = [mail.raw.decode() for mail in gmail.sent]
    assert sum("A better one" in text for text in texts) == 3
    assert not any("Too late" in text for text in texts)


async def test_a_dry_run_says_whom_it_would_reach_and_publishes_nothing(
    api: httpx.AsyncClient, place: str, company: Company, after_one: list[UUID]
) -> None:
    pending = str(await company.make_lead())
    await api.post(f"{place}/recipients", json={"contact_id": pending})
    await edit(api, place, 2, delay_seconds=0, delay_days=1, message_template="New")

    found = await publish(api, place, dry_run=True)

    assert (found["version"], found["published"]) == (1, False)
    [changed] = found["changes"]["changed"]
    assert changed["step_number"] == 2
    fields = {field["field"]: field for field in changed["fields"]}
    assert (fields["wait_seconds"]["before"], fields["wait_seconds"]["after"]) == (3 * DAY, DAY)
    assert fields["message_template"]["lines"][1:] == ["-Hello {{ lead.first_name }}", "+New"]
    # All four get the new text; the three who wait for the second step get it earlier.
    reach = {"recipients": 4, "looked_at": 4, "pinned": 0}
    assert found["reach"] == NOBODY | reach | {"affected": 4, "new_text": 4, "earlier": 3}
    assert await numbers(api, place) == [(1, 4, True)]


async def test_it_tells_who_skips_a_step_and_who_ends(
    api: httpx.AsyncClient, place: str, after_one: list[UUID], workers: Workers
) -> None:
    at = await workers.next_at(after_one[0])
    assert at is not None
    await workers.go_on(after_one[0], at)
    await api.delete(f"{place}/sequences/3")

    without_third = (await publish(api, place, dry_run=True))["reach"]
    await api.delete(f"{place}/sequences/2")
    without_both = (await publish(api, place, dry_run=True))["reach"]

    reach = {"recipients": 3, "looked_at": 3, "pinned": 0}
    assert without_third == NOBODY | reach | {"affected": 3, "skips": 2, "ends": 1}
    assert without_both == NOBODY | reach | {"affected": 3, "ends": 3}


async def test_publishing_wakes_those_whose_plan_is_another_one(
    api: httpx.AsyncClient,
    place: str,
    after_one: list[UUID],
    conductor: RecordingConductor,
    database: Database,
) -> None:
    conductor.wakes.clear()
    await edit(api, place, 3, delay_days=9)
    await publish(api, place)
    await tell_everybody(database, conductor)
    told_of_third = len(conductor.wakes)
    await edit(api, place, 2, delay_seconds=0)
    assert conductor.wakings == []
    await publish(api, place)
    await tell_everybody(database, conductor)

    assert told_of_third == 0
    assert {ref.recipient_id for ref, _ in conductor.wakes} == set(after_one)


async def test_those_who_have_begun_may_stay_on_their_version(
    api: httpx.AsyncClient,
    place: str,
    company: Company,
    workers: Workers,
    gmail: FakeGmail,
    after_one: list[UUID],
) -> None:
    await edit(api, place, 2, message_template="For the new ones")
    await edit(api, place, 1, message_template="Welcome")

    kept = await publish(api, place, running="stay")
    lead_id = str(await company.make_lead())
    fresh = (await api.post(f"{place}/recipients", json={"contact_id": lead_id})).json()
    await workers.go_on(UUID(fresh["id"]))
    counts = await numbers(api, place)
    at = await workers.next_at(after_one[0])
    assert at is not None
    await workers.go_on(after_one[0], at)

    assert kept["reach"]["recipients"] == 0
    assert counts == [(2, 1, True), (1, 3, False)]
    assert "Welcome" in gmail.sent[-2].raw.decode()
    assert "Hello Ada" in gmail.sent[-1].raw.decode()


async def test_those_who_stayed_can_be_let_follow(
    api: httpx.AsyncClient, place: str, company: Company, after_one: list[UUID]
) -> None:
    await edit(api, place, 2, message_template="Second thoughts")
    await publish(api, place, running="stay")

    found = await publish(api, place, running="follow_all")

    assert (found["version"], found["published"]) == (2, False)
    assert await numbers(api, place) == [(2, 3, True), (1, 0, False)]
    row = await company.recipient(after_one[0])
    assert row.pinned_version_id is None


async def test_publishing_twice_makes_one_version(api: httpx.AsyncClient, place: str) -> None:
    await edit(api, place, 1, subject="Another")

    answers = [await publish(api, place) for _ in range(2)]

    assert [(it["version"], it["published"]) for it in answers] == [(2, True), (2, False)]
    assert len(await numbers(api, place)) == 2


async def test_versions_are_compared(api: httpx.AsyncClient, place: str) -> None:
    steps = (await api.get(f"{place}/sequences")).json()
    first, second, third = [step["id"] for step in steps]
    await edit(api, place, 3, subject="First now")
    await api.post(f"{place}/sequences/reorder", json={"order": [3, 1, 2]})
    await api.post(f"{place}/sequences", json={"channel": "email", "message_template": "Last"})
    await api.delete(f"{place}/sequences/2")
    draft = (await api.get(f"{place}/versions/draft/diff")).json()
    await publish(api, place)

    diff = (await api.get(f"{place}/versions/2/diff")).json()
    from_nothing = (await api.get(f"{place}/versions/1/diff")).json()
    back = (await api.get(f"{place}/versions/1/diff", params={"against": 2})).json()

    assert (draft["version"], draft["against"]) == (None, 1)
    assert (diff["version"], diff["against"]) == (2, 1)
    assert {k: draft[k] for k in ("added", "removed", "moved", "changed")} == {
        k: diff[k] for k in ("added", "removed", "moved", "changed")
    }
    assert [step["message_template"] for step in diff["added"]] == ["Last"]
    assert [step["id"] for step in diff["removed"]] == [first]
    assert len(diff["moved"]) == 1
    assert diff["moved"][0]["id"] in (second, third)
    assert [(step["id"], step["step_number"]) for step in diff["changed"]] == [(third, 1)]
    assert [field["field"] for field in diff["changed"][0]["fields"]] == ["subject"]
    assert [step["id"] for step in from_nothing["added"]] == [first, second, third]
    assert [step["id"] for step in back["added"]] == [first]
    assert (await api.get(f"{place}/versions/7/diff")).status_code == 404


async def test_a_draft_that_lacks_something_is_not_published(
    api: httpx.AsyncClient, place: str
) -> None:
    for _ in range(3):
        assert (await api.delete(f"{place}/sequences/1")).status_code == 204

    answer = await api.post(f"{place}/publish")

    assert answer.status_code == 409
    assert "no steps" in answer.json()["missing"][0]


@pytest.mark.parametrize("verb", ["draft", "completed"])
async def test_only_a_campaign_that_can_run_is_published(
    api: httpx.AsyncClient, campaign: Campaign, verb: str
) -> None:
    url = f"/api/campaigns/{campaign.id}"
    if verb == "draft":
        made = await api.post("/api/campaigns", json={"name": "Spring", "type": "email"})
        url = f"/api/campaigns/{made.json()['id']}"
    else:
        await api.post(f"{url}/complete")

    answer = await api.post(f"{url}/publish")

    assert answer.status_code == 409


async def test_a_member_reads_versions_and_publishes_none(
    login: Login, company: Company, place: str
) -> None:
    member = await login(company, "member")  # type: ignore[arg-type] # a Role's value

    assert (await member.get(f"{place}/versions")).status_code == 200
    assert (await member.post(f"{place}/publish")).status_code == 403


async def test_many_alike_are_counted_without_reading_each(
    api: httpx.AsyncClient, place: str, company: Company, campaign: Campaign
) -> None:
    refs = [await company.make_recipient(campaign) for _ in range(30)]
    async with company.session() as session:
        for ref in refs[:20]:
            row = await session.get_one(RecipientRow, ref.recipient_id)
            row.started_at = row.launched_at = NOON
    await edit(api, place, 1, message_template="New", delay_days=1)

    reach = (await publish(api, place, dry_run=True))["reach"]

    assert (reach["recipients"], reach["looked_at"], reach["new_text"]) == (30, 30, 30)
