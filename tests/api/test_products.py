"""Products: a document each, what it says, and who may still take it up."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text

from api.container import Container
from shared.db.models import Role
from shared.storage import Storage
from tests.api import documents
from tests.api.conftest import Login
from tests.api.documents import WORDS, add_product
from tests.factories import Company

Json = dict[str, Any]


@pytest.fixture
def products(company: Company) -> str:
    return f"/api/companies/{company.id}/products"


async def test_a_product_is_what_its_document_says(
    api: httpx.AsyncClient, products: str, company: Company
) -> None:
    made = await add_product(
        api, products, product_name="Analytical Engine", description="It weaves"
    )
    read = (await api.get(f"{products}/{made['id']}")).json()

    assert made["product_name"] == "Analytical Engine"
    assert made["description"] == "It weaves"
    assert (made["file_name"], made["kind"]) == ("engine.docx", "docx")
    assert made["text_length"] == len(WORDS)
    assert made["created_by"] == str(company.user_id)
    assert made["deleted_at"] is None
    assert "text" not in made
    assert read == {**made, "text": WORDS}


async def test_without_a_name_the_file_gives_one(api: httpx.AsyncClient, products: str) -> None:
    made = await add_product(api, products, "C:\\documents\\difference engine.v2.pdf")

    assert made["product_name"] == "difference engine.v2"
    assert made["file_name"] == "difference engine.v2.pdf"


async def test_the_file_is_kept_as_it_was(
    api: httpx.AsyncClient, products: str, company: Company, storage: Storage
) -> None:
    content = documents.pdf()
    made = (await api.post(products, files={"file": ("engine.pdf", content)})).json()

    [key] = await storage.list(f"product-files/{company.id}")

    assert key.startswith(f"product-files/{company.id}/{made['id']}/")
    assert b"".join([piece async for piece in storage.open(key)]) == content
    assert made["file_size"] == len(content)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        pytest.param("engine.pdf", documents.pdf(), "application/pdf", id="pdf"),
        pytest.param("Überblick \u201e1\u201c.txt", b"Weaves", "text/plain", id="txt"),
    ],
)
async def test_the_file_can_be_had_back(
    api: httpx.AsyncClient, products: str, name: str, content: bytes, kind: str
) -> None:
    made = (await api.post(products, files={"file": (name, content)})).json()
    await api.delete(f"{products}/{made['id']}")

    answer = await api.get(f"{products}/{made['id']}/file")

    assert answer.status_code == 200, answer.text
    assert answer.content == content
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["content-disposition"] == f"attachment; filename*=utf-8''{quote(name)}"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_file_that_has_vanished_is_said_to_have(
    api: httpx.AsyncClient, products: str, company: Company, storage: Storage
) -> None:
    made = await add_product(api, products)
    for key in await storage.list(f"product-files/{company.id}"):
        await storage.delete(key)

    answer = await api.get(f"{products}/{made['id']}/file")

    assert answer.status_code == 409
    assert "upload it again" in answer.json()["detail"]


async def test_a_refused_file_is_not_kept(
    api: httpx.AsyncClient, products: str, company: Company, storage: Storage
) -> None:
    wrong_kind = await api.post(products, files={"file": ("engine.docx", documents.pdf())})
    locked = await api.post(products, files={"file": ("a.pdf", documents.locked_pdf("x"))})
    no_file = await api.post(products, data={"product_name": "Engine"})
    unknown = await api.post(
        products, files={"file": ("a.pdf", documents.pdf())}, data={"product_nam": "Engine"}
    )

    assert wrong_kind.status_code == 415
    assert "its content is .pdf" in wrong_kind.json()["detail"]
    for answer, field in ((locked, "file"), (no_file, "file"), (unknown, "product_nam")):
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert [it["field"] for it in answer.json()["errors"]] == [field]
    assert await storage.list(f"product-files/{company.id}") == []
    assert (await api.get(products)).json() == []


async def test_words_are_changed_as_json(api: httpx.AsyncClient, products: str) -> None:
    made = await add_product(api, products)
    whole = (await api.get(f"{products}/{made['id']}")).json()

    answer = await api.put(f"{products}/{made['id']}", json={**whole, "product_name": "Loom"})

    assert answer.status_code == 200, answer.text
    assert answer.json()["product_name"] == "Loom"
    assert answer.json()["file_name"] == "engine.docx"


async def test_a_form_brings_a_new_file(
    api: httpx.AsyncClient, products: str, company: Company, storage: Storage
) -> None:
    made = await add_product(api, products, product_name="Engine")

    answer = await api.put(
        f"{products}/{made['id']}",
        files={"file": ("notes.txt", b"Punched cards")},
        data={"description": "Now with cards"},
    )
    read = (await api.get(f"{products}/{made['id']}")).json()

    assert answer.status_code == 200, answer.text
    assert (read["product_name"], read["description"]) == ("Engine", "Now with cards")
    assert (read["file_name"], read["text"]) == ("notes.txt", "Punched cards")
    assert len(await storage.list(f"product-files/{company.id}")) == 1


@pytest.mark.parametrize(
    ("sent", "status", "field"),
    [
        ({"json": {"product_name": None}}, 422, "product_name"),
        ({"json": {"product_nam": "Loom"}}, 422, "product_nam"),
        ({"json": ["Loom"]}, 422, "body"),
        ({"data": {"colour": "red"}, "files": {"file": ("a.txt", b"a")}}, 422, "colour"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 422, "body"),
        (
            {
                "content": b"--b--\r\n",
                "headers": {"content-type": "multipart/form-data; boundary=b"},
            },
            422,
            "body",
        ),
        ({"content": b"\xff", "headers": {"content-type": "multipart/form-data"}}, 422, "body"),
        ({"content": b"a: b", "headers": {"content-type": "text/yaml"}}, 415, None),
    ],
    ids=[
        "null",
        "unknown",
        "list",
        "unknown-in-a-form",
        "malformed",
        "empty-form",
        "broken-form",
        "yaml",
    ],
)
async def test_a_wrong_change_is_refused(
    *, api: httpx.AsyncClient, products: str, sent: Json, status: int, field: str | None
) -> None:
    made = await add_product(api, products)

    answer = await api.put(f"{products}/{made['id']}", **sent)

    assert answer.status_code == status, answer.text
    assert [it["field"] for it in answer.json().get("errors", [])] == ([field] if field else [])


async def test_a_deleted_product_is_hidden_and_still_known(
    api: httpx.AsyncClient, products: str
) -> None:
    kept, gone = await add_product(api, products), await add_product(api, products)

    answers = [await api.delete(f"{products}/{gone['id']}") for _ in range(2)]
    listed = (await api.get(products)).json()
    everything = (await api.get(products, params={"include_deleted": True})).json()
    read = await api.get(f"{products}/{gone['id']}")
    changed = await api.put(f"{products}/{gone['id']}", json={"product_name": "Loom"})

    assert [answer.status_code for answer in answers] == [204, 204]
    assert [it["id"] for it in listed] == [kept["id"]]
    assert [it["id"] for it in everything] == [gone["id"], kept["id"]]
    assert read.json()["deleted_at"] is not None
    assert changed.status_code == 409


async def test_the_audit_log_tells_of_it_without_the_whole_text(
    api: httpx.AsyncClient, products: str, company: Company
) -> None:
    made = await api.post(products, files={"file": ("long.txt", b"word " * 10_000)})
    await api.put(f"{products}/{made.json()['id']}", json={"product_name": "Loom"})

    async with company.session() as session:
        found = await session.execute(
            text(
                "select action, before, after from audit_log where subject = 'products' order by id"
            )
        )
    created, changed = found.all()
    assert created.after["text"].endswith(" ...")
    assert len(created.after["text"]) < 300
    assert (changed.before, changed.after) == ({"product_name": "long"}, {"product_name": "Loom"})


async def test_a_list_goes_on_at_its_link(api: httpx.AsyncClient, products: str) -> None:
    ids = [(await add_product(api, products, "engine.pdf"))["id"] for _ in range(3)]

    first = await api.get(products, params={"limit": 2})
    second = await api.get(first.links["next"]["url"])

    assert [it["id"] for it in (*first.json(), *second.json())] == ids[::-1]
    assert "next" not in second.links


async def test_a_member_reads_and_does_not_write(
    api: httpx.AsyncClient, login: Login, company: Company, products: str
) -> None:
    made = await add_product(api, products)
    member = await login(company, Role.MEMBER)

    assert (await member.get(f"{products}/{made['id']}")).status_code == 200
    assert (await member.delete(f"{products}/{made['id']}")).status_code == 403
    added = await member.post(products, files={"file": ("a.txt", b"a")})
    assert added.status_code == 403


async def test_a_file_without_a_row_is_not_kept(
    api: httpx.AsyncClient,
    products: str,
    company: Company,
    storage: Storage,
    container: Container,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database goes away between the file and its row."""
    made = await add_product(api, products)
    put = storage.put

    async def put_and_lose_the_database(*given: Any) -> None:
        await put(*given)
        monkeypatch.setattr(container.products, "_database", None)

    monkeypatch.setattr(storage, "put", put_and_lose_the_database)
    added = await api.post(products, files={"file": ("a.txt", b"a")})
    monkeypatch.undo()
    monkeypatch.setattr(storage, "put", put_and_lose_the_database)
    changed = await api.put(f"{products}/{made['id']}", files={"file": ("a.txt", b"a")})

    assert (added.status_code, changed.status_code) == (500, 500)
    assert len(await storage.list(f"product-files/{company.id}")) == 1


@pytest.mark.parametrize("name", ["../", "\\\\"])
async def test_a_file_needs_a_name(api: httpx.AsyncClient, products: str, name: str) -> None:
    answer = await api.post(products, files={"file": (name, b"words")})

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "file"


async def test_a_file_that_is_too_large_is_refused(api: httpx.AsyncClient, products: str) -> None:
    answer = await api.post(products, files={"file": ("a.txt", b"word " * 5_000_000)})

    assert answer.status_code in {413, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_lost_update_is_refused(api: httpx.AsyncClient, products: str) -> None:
    url = f"{products}/{(await add_product(api, products))['id']}"
    tag = (await api.get(url)).headers["etag"]

    first = await api.put(url, json={"product_name": "Loom"}, headers={"If-Match": tag})
    second = await api.put(url, json={"product_name": "Mill"}, headers={"If-Match": tag})

    assert (first.status_code, second.status_code) == (200, 412)
    assert first.headers["etag"] != tag
