"""Files of people who must never be contacted: read in many forms, and written."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.services.suppression_files import MOST_ROWS
from shared.db.models import AuditRow, Role, SuppressionRow
from shared.domain.recipient import EndReason
from tests.api.conftest import Login
from tests.api.test_suppressions import wait_for_mail
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor

Json = dict[str, Any]
URL = "/api/suppressions"


async def take_in(api: httpx.AsyncClient, content: str | bytes) -> Json:
    raw = content.encode() if isinstance(content, str) else content
    answer = await api.post(f"{URL}/import", files={"file": ("list.csv", raw)})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def test_a_file_is_taken_in_and_what_is_wrong_is_told(
    *, api: httpx.AsyncClient, company: Company, conductor: RecordingConductor
) -> None:
    running = await wait_for_mail(company, "ada@example.com")
    waiting = await wait_for_mail(company, "kim@other.example", is_running=False)
    await api.post(URL, json={"kind": "email", "value": "old@example.com"})

    done = await take_in(
        api,
        "Kind,Value,Reason\r\n"
        "email,Ada@example.com,complaint\r\n"
        "domain,other.example,\r\n"
        "email,old@example.com,\r\n"
        "email,ada@example.com,\r\n"
        "\r\n"
        "email,nobody,\r\n"
        "fax,123,\r\n"
        "email,eve@example.com,because\r\n"
        "email,,\r\n"
        ',"+49 30 123456",\r\n',
    )

    assert (done["added"], done["already"], done["ended"]) == (3, 2, 2)
    assert done["refused_count"] == 4
    assert [it["row"] for it in done["refused"]] == [7, 8, 9, 10]
    assert "Use one of these kinds" in done["refused"][1]["reason"]
    async with company.session() as session:
        rows = (await session.scalars(select(SuppressionRow).order_by(SuppressionRow.value))).all()
        logged = (
            await session.scalars(select(AuditRow).where(AuditRow.subject == "suppressions"))
        ).all()
    assert [(it.kind, it.value, it.reason, it.source) for it in rows] == [
        ("phone", "+4930123456", "manual", "import"),
        ("email", "ada@example.com", "complaint", "import"),
        ("email", "old@example.com", "manual", "person"),
        ("domain", "other.example", "manual", "import"),
    ]
    # A line for each reason in the file, and none for each address.
    assert sorted(it.after["count"] for it in logged if it.after) == [1, 1, 2]
    assert {it[0] for it in conductor.stops} == {running}
    assert (await company.recipient(waiting.recipient_id)).end_reason == EndReason.SUPPRESSED


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("ada@example.com\nexample.org\n", {"email", "domain"}, id="a bare list"),
        pytest.param("E-Mail Address;Name\nada@example.com;Ada\n", {"email"}, id="semicolons"),
        pytest.param(
            "Email\tPhone\nada@example.com\t\n\t+49 30 123456\n", {"email", "phone"}, id="tabs"
        ),
        pytest.param("\ufeffemail\nada@example.com\n".encode(), {"email"}, id="a mark"),
        pytest.param("email\nada@example.com\n".encode("utf-16"), {"email"}, id="UTF-16"),
        pytest.param("name,email\nJosé,ada@example.com\n".encode("cp1252"), {"email"}, id="cp1252"),
        pytest.param("linkedin.com/in/ada", {"linkedin"}, id="one line without an end"),
    ],
)
async def test_files_come_in_many_forms(
    api: httpx.AsyncClient, content: str | bytes, expected: set[str]
) -> None:
    done = await take_in(api, content)

    kinds = {it["kind"] for it in (await api.get(URL)).json()["items"]}
    assert (done["refused"], kinds) == ([], expected)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\r\n \r\n", id="blank"),
        pytest.param(b"a@b.de\n" * (MOST_ROWS + 2), id="too long"),
        pytest.param(b'email\n"' + b"a" * 200_000, id="an endless cell"),
    ],
)
async def test_what_is_no_list_is_refused_as_a_whole(
    api: httpx.AsyncClient, content: bytes
) -> None:
    answer = await api.post(f"{URL}/import", files={"file": ("list.csv", content)})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "file"
    assert (await api.get(URL)).json()["items"] == []


async def test_an_export_can_be_imported_again(
    *, api: httpx.AsyncClient, login: Login, stranger: Company
) -> None:
    await api.post(URL, json={"kind": "email", "value": "ada@example.com", "reason": "bounce"})
    await api.post(URL, json={"kind": "phone", "value": "+4930123456"})
    await api.post(URL, json={"kind": "email", "value": "x@example.com", "is_value_kept": False})

    exported = await api.get(f"{URL}/export")

    assert exported.headers["content-type"].startswith("text/csv")
    # A spreadsheet would take a telephone number for a sum.
    assert "'+4930123456" in exported.text
    there = await login(stranger, Role.ADMIN)
    done = await take_in(there, exported.content)
    assert (done["added"], done["refused_count"]) == (2, 1)
    items = (await there.get(URL)).json()["items"]
    assert {(it["kind"], it["value"], it["reason"]) for it in items} == {
        ("email", "ada@example.com", "bounce"),
        ("phone", "+4930123456", "manual"),
    }


async def test_a_long_export_goes_on_page_after_page(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.services.suppressions.WRITTEN_AT_ONCE", 2)
    await take_in(api, "\n".join(f"p{number}@example.com" for number in range(5)))

    exported = await api.get(f"{URL}/export")

    assert len(exported.text.splitlines()) == 6
