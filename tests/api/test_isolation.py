"""Another company's ids are not there, on every route that takes one."""

import re
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.main import openapi_document
from shared.db.models import (
    ActionRow,
    ApiKeyRow,
    CallRow,
    CampaignRow,
    DocumentKind,
    JobKind,
    JobRow,
    MembershipRow,
    ProductRow,
    Role,
    SampleMailRow,
    SegmentRow,
    SuppressionRow,
    TemplateRow,
    TodoRow,
    WebhookDeliveryRow,
    WebhookRow,
)
from shared.db.session import Database
from shared.keyring import Keyring
from tests.api.conftest import Login, make_action
from tests.factories import NOON, Company

Json = dict[str, Any]
LEAD = "01939b7e-0000-7000-8000-000000000001"
BODIES: dict[str, Json] = {
    "update_company": {"name": "Mine"},
    "invite_member": {"email": "kim@example.com", "role": "member"},
    "update_member": {"role": "director"},
    "create_api_key": {"name": "mine", "scopes": ["read"]},
    "create_lead": {"email": "ada@example.com"},
    "update_lead": {"city": "Paris"},
    "update_account": {"is_primary": True},
    "update_campaign": {"name": "Mine"},
    "create_step": {"channel": "email", "message_template": "Hi"},
    "update_step": {"subject": "Hi"},
    "reorder_steps": {"order": [1]},
    "add_recipients": {"contact_ids": [LEAD]},
    "create_company_campaign": {"name": "Mine", "type": "email"},
    "resolve_action": {"outcome": "sent"},
    "update_product": {"product_name": "Mine"},
    "create_segment": {"name": "Mine", "filter": {}},
    "update_segment": {"name": "Mine"},
    "update_webhook": {"events": ["*"]},
    "confirm_mapping": {},
    "update_template": {"name": "Mine"},
    "preview_campaign": {},
    "update_definition": {"steps": []},
    # JSON is YAML as well.
    "update_campaign_file": {"name": "Mine", "type": "email", "steps": []},
    "update_todo": {"due_at": None},
    "finish_todo": {},
    "skip_todo": {},
    "fail_todo": {},
    "send_test_mail": {"to": "kim@example.com"},
}
# Well-formed, and of nothing.
NOBODYS = {
    name: str(uuid4())
    for name in re.findall(r"{(\w+)}", " ".join(openapi_document()["paths"]))
    if name.endswith("_id")
} | {"number": "1", "step_number": "1"}
OPERATIONS = [
    (method, path, operation["operationId"])
    for path, operations in openapi_document()["paths"].items()
    for method, operation in operations.items()
    # A signed token says itself whose it is, and nobody can make one: test_unsubscribing.py.
    if "{" in path and "{token}" not in path
]


@pytest.fixture(scope="module")
async def theirs(engine: AsyncEngine, keyring: Keyring) -> dict[str, str]:
    """One company's for all calls: who changes one of them has failed already."""
    return await ids_of(await Company.make(Database(engine), keyring))


@pytest.mark.parametrize(
    ("method", "path", "name"), OPERATIONS, ids=[name for _, _, name in OPERATIONS]
)
async def test_another_companys_ids_are_not_there(
    *, login: Login, company: Company, theirs: dict[str, str], method: str, path: str, name: str
) -> None:
    # Where something else is named, it is looked for in one's own company.
    own = {} if path.count("{") == 1 else {"company_id": str(company.id)}
    admin = await login(company, Role.ADMIN)

    answer = await admin.request(method, path.format(**{**theirs, **own}), json=BODIES.get(name))
    nobodys = await admin.request(method, path.format(**{**NOBODYS, **own}), json=BODIES.get(name))

    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert without_ids(answer, theirs) == without_ids(nobodys, NOBODYS)


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


def without_ids(answer: httpx.Response, ids: dict[str, str]) -> str:
    """Its text, in which an id is only the name of what it would be the id of."""
    text = answer.text
    for name, found in ids.items():
        if len(found) == len(LEAD):
            text = text.replace(found, name)
    return text


async def ids_of(company: Company) -> dict[str, str]:
    campaign = await company.make_campaign()
    recipient = await company.make_recipient(campaign)
    key = ApiKeyRow(name="k", prefix="drb_", key_hash=str(company.id), scopes=["read"])
    product = _product()
    webhook = WebhookRow(url="https://127.0.0.1:1", events=["*"], secret=b"-")
    segment = SegmentRow(name="Theirs", filter={"city": "Paris"})
    job = JobRow(kind=JobKind.IMPORT, more={"is_applied": True})
    action = make_action(campaign, company, recipient.recipient_id)
    template = TemplateRow(name="Theirs", message_template="Hello")
    todo = TodoRow(title="Theirs")
    lead_id = await company.make_lead()
    sample = SampleMailRow(
        campaign_id=campaign.id,
        lead_id=lead_id,
        step_id=campaign.step_ids[0],
        to_address="kim@example.com",
    )
    async with company.session() as session:
        row = await session.get_one(CampaignRow, campaign.id)
        assert row.version_id is not None
        action.version_id = row.version_id
        session.add(MembershipRow(user_id=company.user_id, role=Role.MEMBER))
        suppression = SuppressionRow(key_hash=company.id.bytes, kind="email", reason="manual")
        session.add_all([key, product, webhook, action, job, segment, suppression])
        session.add_all([template, sample, todo])
        await session.flush()
        delivery = WebhookDeliveryRow(
            webhook_id=webhook.id, event_id=webhook.id, event="action.sent", occurred_at=NOON
        )
        session.add(delivery)
        call = _call(company, action, lead_id)
        session.add(call)
        await session.flush()
    return {
        "call_id": str(call.id),
        "company_id": str(company.id),
        "user_id": str(company.user_id),
        "lead_id": str(lead_id),
        "key_id": str(key.id),
        "account_id": str(company.account_id),
        "campaign_id": str(campaign.id),
        "number": "1",
        "recipient_id": str(recipient.recipient_id),
        "action_id": str(action.id),
        "step_number": "1",
        "product_id": str(product.id),
        "webhook_id": str(webhook.id),
        "delivery_id": str(delivery.id),
        "task_id": str(job.id),
        "segment_id": str(segment.id),
        "suppression_id": str(suppression.id),
        "template_id": str(template.id),
        "sample_id": str(sample.id),
        "todo_id": str(todo.id),
    }


def _product() -> ProductRow:
    return ProductRow(
        product_name="Engine",
        file_name="engine.txt",
        file_key="-",
        file_size=1,
        kind=DocumentKind.TXT,
        text="-",
        text_length=1,
    )


def _call(company: Company, action: ActionRow, lead_id: UUID) -> CallRow:
    return CallRow(
        recipient_id=action.recipient_id,
        campaign_id=action.campaign_id,
        lead_id=lead_id,
        action_id=action.id,
        step_id=action.step_id,
        provider_id=str(company.id),
        placed_at=NOON,
    )
