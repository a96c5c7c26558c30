"""Uploading leads, and looking after the task that this makes."""

import json
from typing import Any

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.importing import ImportActivities
from shared.contracts.imports import ImportOrder
from shared.db.models import JobKind, JobRow, Role
from shared.db.session import Database
from shared.keyring import Keyring
from shared.storage import Storage
from tests.api.conftest import Login
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor

Json = dict[str, Any]
FILE = b"E-Mail;Vorname;Hobby\nada@example.com;Ada;Looms\nnobody;Eve;=1+1\n"


@pytest.fixture
def url(company: Company) -> str:
    return f"/api/companies/{company.id}/leads/upload"


@pytest.fixture
def activities(database: Database, storage: Storage, keyring: Keyring) -> ImportActivities:
    """What the worker would do."""
    return ImportActivities(database=database, storage=storage, keyring=keyring, model=None)


async def upload(api: httpx.AsyncClient, url: str, content: bytes = FILE, **query: str) -> str:
    answer = await api.post(url, files={"file": ("leads.csv", content)}, params=query)
    assert answer.status_code == 202, answer.text
    task_id: str = answer.json()["task_id"]
    return task_id


async def work(activities: ImportActivities, conductor: RecordingConductor) -> None:
    """As the workflow would, for what the gateway has asked for."""
    order: ImportOrder = conductor.imports[-1]
    run = ActivityEnvironment().run
    plan = await run(activities.sniff, order)
    if plan.is_open and plan.is_held and await run(activities.hold, order):
        return
    while plan.is_open and not (await run(activities.load, order)).is_last:
        pass
    await run(activities.finish, order)


async def test_a_file_is_kept_taken_in_and_reported(
    *,
    api: httpx.AsyncClient,
    url: str,
    storage: Storage,
    company: Company,
    conductor: RecordingConductor,
    activities: ImportActivities,
) -> None:
    task_id = await upload(api, url)
    before = (await api.get(f"/api/tasks/{task_id}")).json()
    await work(activities, conductor)
    after = (await api.get(f"/api/tasks/{task_id}")).json()
    leads = (await api.get(url.removesuffix("/upload"))).json()["items"]

    assert (before["status"], before["processed"]) == ("pending", 0)
    assert await storage.list("leads-uploads") == [f"leads-uploads/{company.id}/{task_id}.csv"]
    assert (after["status"], after["processed"], after["total"]) == ("completed", 2, 2)
    assert (after["created"], after["updated"], after["skipped"]) == (1, 0, 1)
    assert [error["number"] for error in after["errors"]] == [3]
    assert after["mapping"] == {"E-Mail": "email", "Vorname": "first_name", "Hobby": "custom"}
    assert [it["by"] for it in after["columns"]] == ["name", "name", "nobody"]
    assert [(it["email"], it["custom"]) for it in leads] == [
        ("ada@example.com", {"Hobby": "Looms"})
    ]
    assert [task["id"] for task in (await api.get("/api/tasks")).json()] == [task_id]


async def test_refused_rows_come_back_as_a_file_that_runs_no_formula(
    *, api: httpx.AsyncClient, url: str, conductor: RecordingConductor, activities: ImportActivities
) -> None:
    task_id = await upload(api, url)
    await work(activities, conductor)
    task = (await api.get(f"/api/tasks/{task_id}")).json()

    refused = await api.get(task["result_url"])

    head, row, end = refused.text.removeprefix("\ufeff").split("\r\n")
    assert refused.headers["content-type"].startswith("text/csv")
    assert head == "number,reason,E-Mail,Vorname,Hobby"
    assert row.startswith("3,")
    assert row.endswith(",nobody,Eve,'=1+1")
    assert end == ""


async def test_a_mapping_is_shown_changed_and_then_applied(
    *, api: httpx.AsyncClient, url: str, conductor: RecordingConductor, activities: ImportActivities
) -> None:
    task_id = await upload(api, url, apply="false")
    one = f"/api/tasks/{task_id}"
    early = await api.post(f"{one}/mapping", json={})
    await work(activities, conductor)
    proposed = (await api.get(one)).json()
    wrong = await api.post(f"{one}/mapping", json={"mapping": {"Hobbies": "role"}})
    confirmed = await api.post(
        f"{one}/mapping", json={"mapping": proposed["mapping"] | {"Hobby": "role"}}
    )
    await work(activities, conductor)
    done = (await api.get(one)).json()
    late = await api.post(f"{one}/mapping", json={})

    assert early.status_code == 409
    assert (proposed["status"], proposed["waits_for_mapping"]) == ("pending", True)
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "mapping"
    assert confirmed.status_code == 200, confirmed.text
    assert (done["status"], done["created"], done["waits_for_mapping"]) == ("completed", 1, False)
    assert late.status_code == 409
    [lead] = (await api.get(url.removesuffix("/upload"))).json()["items"]
    assert (lead["role"], lead["custom"]) == ("Looms", {})


@pytest.mark.parametrize(
    "mapping", ["no json", "[1]", '{"a": 7}', '{"a": "no_field"}', '{"a": "email", "b": "email"}']
)
async def test_a_wrong_mapping_is_refused_before_anything_is_kept(
    api: httpx.AsyncClient, url: str, storage: Storage, mapping: str
) -> None:
    answer = await api.post(url, files={"file": ("a.csv", FILE)}, params={"mapping": mapping})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "mapping"
    assert await storage.list("leads-uploads") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"PK\x03\x04" + bytes(20), "workbook", id="xlsx"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20), "workbook", id="xls"),
        pytest.param(b"%PDF-1.7", "PDF", id="pdf"),
        pytest.param(b"\x1f\x8b\x08", "packed", id="gz"),
    ],
)
async def test_what_is_no_csv_is_refused_at_once(
    api: httpx.AsyncClient, url: str, content: bytes, words: str
) -> None:
    """It would be read as one column of nonsense, and end well with no row."""
    answer = await api.post(url, files={"file": ("leads.csv", content)})

    assert answer.status_code == 415, answer.text
    assert words in answer.json()["detail"]
    assert "save it as CSV" in answer.json()["detail"]
    assert (await api.get("/api/tasks")).json() == []


async def test_a_mapping_goes_with_the_upload(
    *, api: httpx.AsyncClient, url: str, conductor: RecordingConductor, activities: ImportActivities
) -> None:
    mapping = json.dumps({"vorname": "last_name", "Hobby": None})
    task_id = await upload(api, url, mapping=mapping)
    await work(activities, conductor)

    task = (await api.get(f"/api/tasks/{task_id}")).json()
    [lead] = (await api.get(url.removesuffix("/upload"))).json()["items"]
    assert task["mapping"] == {"E-Mail": "email", "Vorname": "last_name", "Hobby": None}
    assert (lead["first_name"], lead["last_name"], lead["custom"]) == (None, "Ada", {})


async def test_a_waiting_import_can_be_cancelled_and_stays_so(
    *, api: httpx.AsyncClient, url: str, conductor: RecordingConductor, activities: ImportActivities
) -> None:
    task_id = await upload(api, url, apply="false")
    await work(activities, conductor)
    answers = [await api.post(f"/api/tasks/{task_id}/cancel") for _ in range(2)]
    await work(activities, conductor)
    after = (await api.get(f"/api/tasks/{task_id}")).json()

    assert [(it.status_code, it.json()["status"]) for it in answers] == [(200, "cancelled")] * 2
    assert after["status"] == "cancelled"
    assert after["finished_at"] is not None
    assert (await api.post(f"/api/tasks/{task_id}/mapping", json={})).status_code == 409


async def test_what_has_ended_cannot_be_cancelled(
    *, api: httpx.AsyncClient, url: str, conductor: RecordingConductor, activities: ImportActivities
) -> None:
    task_id = await upload(api, url)
    await work(activities, conductor)

    assert (await api.post(f"/api/tasks/{task_id}/cancel")).status_code == 409


async def test_an_upload_survives_an_outage_of_temporal(
    api: httpx.AsyncClient, url: str, conductor: RecordingConductor
) -> None:
    conductor.is_down = True

    task_id = await upload(api, url)

    assert (await api.get(f"/api/tasks/{task_id}")).json()["status"] == "pending"


async def test_a_member_reads_tasks_and_uploads_nothing(
    login: Login, url: str, company: Company
) -> None:
    member = await login(company, Role.MEMBER)

    answer = await member.post(url, files={"file": ("a.csv", FILE)})

    assert answer.status_code == 403
    assert (await member.get("/api/tasks")).json() == []


async def test_tasks_come_in_pages_and_by_kind(api: httpx.AsyncClient, company: Company) -> None:
    async with company.session() as session:
        session.add_all([JobRow(kind=kind) for kind in [JobKind.RUN, *[JobKind.LAUNCH] * 3]])

    first = await api.get("/api/tasks", params={"kind": "launch", "limit": 2})
    second = await api.get(first.links["next"]["url"])

    assert [len(page.json()) for page in (first, second)] == [2, 1]
    assert "next" not in second.links


async def test_a_file_may_be_larger_than_other_bodies(api: httpx.AsyncClient, url: str) -> None:
    await upload(api, url, b"Email,Notes\n" + b"a@b.com,some words\n" * 400_000)
