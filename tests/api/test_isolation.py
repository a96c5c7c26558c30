"""Another company's ids are not there, on every route that takes one."""

from typing import Any

import pytest

from api.main import openapi_document
from shared.db.models import ApiKeyRow, Role
from tests.api.conftest import Login
from tests.factories import Company

Json = dict[str, Any]
LEAD = "01939b7e-0000-7000-8000-000000000001"
BODIES: dict[str, Json] = {
    "update_company": {"name": "Mine"},
    "create_api_key": {"name": "mine", "scopes": ["read"]},
    "create_lead": {"email": "ada@example.com"},
    "update_lead": {"city": "Paris"},
    "update_account": {"is_primary": True},
    "update_campaign": {"name": "Mine"},
    "create_step": {"channel": "email", "message_template": "Hi"},
    "update_step": {"subject": "Hi"},
    "reorder_steps": {"order": [1]},
    "add_recipients": {"contact_ids": [LEAD]},
}
OPERATIONS = [
    (method, path, operation["operationId"])
    for path, operations in openapi_document()["paths"].items()
    for method, operation in operations.items()
    if "{" in path
]


@pytest.mark.parametrize(
    ("method", "path", "name"), OPERATIONS, ids=[name for _, _, name in OPERATIONS]
)
async def test_another_companys_ids_are_not_there(
    *, login: Login, company: Company, stranger: Company, method: str, path: str, name: str
) -> None:
    theirs = await ids_of(stranger)
    if "{company_id}" in path and "lead_id" not in path and "key_id" not in path:
        own = {}
    else:
        own = {"company_id": str(company.id)}
    admin = await login(company, Role.ADMIN)

    answer = await admin.request(method, path.format(**{**theirs, **own}), json=BODIES.get(name))

    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "name"), OPERATIONS, ids=[name for _, _, name in OPERATIONS]
)
async def test_the_same_call_finds_ones_own(
    login: Login, company: Company, method: str, path: str, name: str
) -> None:
    """Otherwise a 404 above would prove nothing."""
    admin = await login(company, Role.ADMIN)

    answer = await admin.request(
        method, path.format(**await ids_of(company)), json=BODIES.get(name)
    )

    assert answer.status_code != 404, answer.text
    assert answer.status_code < 500


async def ids_of(company: Company) -> dict[str, str]:
    campaign = await company.make_campaign()
    recipient = await company.make_recipient(campaign)
    key = ApiKeyRow(name="k", prefix="drb_", key_hash=str(company.id), scopes=["read"])
    async with company.session() as session:
        session.add(key)
    return {
        "company_id": str(company.id),
        "lead_id": str(await company.make_lead()),
        "key_id": str(key.id),
        "account_id": str(company.account_id),
        "campaign_id": str(campaign.id),
        "recipient_id": str(recipient.recipient_id),
        "step_number": "1",
    }
