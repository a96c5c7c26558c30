"""What a campaign is about: a product of its own company that is still offered."""

import httpx

from shared.db.models import Role
from tests.api.conftest import Login
from tests.api.documents import add_product
from tests.factories import Company


async def test_a_new_campaign_refuses_a_deleted_product(
    api: httpx.AsyncClient, company: Company
) -> None:
    products = f"/api/companies/{company.id}/products"
    product = await add_product(api, products)
    body = {"name": "Spring", "type": "email", "product_id": product["id"]}
    running = (await api.post("/api/campaigns", json=body)).json()
    await api.delete(f"{products}/{product['id']}")

    refused = await api.post("/api/campaigns", json=body)
    sent_back = await api.put(f"/api/campaigns/{running['id']}", json={**running, "name": "May"})
    let_go = await api.put(f"/api/campaigns/{running['id']}", json={"product_id": None})
    taken_up = await api.put(f"/api/campaigns/{running['id']}", json={"product_id": product["id"]})

    assert running["product_id"] == product["id"]
    assert refused.status_code == 409
    assert "was deleted" in refused.json()["detail"]
    assert (sent_back.status_code, sent_back.json()["product_id"]) == (200, product["id"])
    assert let_go.json()["product_id"] is None
    assert taken_up.status_code == 409


async def test_a_campaign_takes_no_product_of_another_company(
    api: httpx.AsyncClient, login: Login, stranger: Company
) -> None:
    eve = await login(stranger, Role.ADMIN)
    theirs = await add_product(eve, f"/api/companies/{stranger.id}/products")

    answer = await api.post(
        "/api/campaigns", json={"name": "Spring", "type": "email", "product_id": theirs["id"]}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "product_id"
