"""A gateway on a real port, and a company with a row of everything that can be named."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
import uvicorn
from fastapi import FastAPI
from uuid_utils.compat import uuid7

from api.call_parts import bland_door
from api.container import Container
from api.main import StoppingServer
from api.parts import Parts
from api.tokens import AccessTokens
from shared.db.models import (
    ApiKeyRow,
    MembershipRow,
    Role,
    SegmentRow,
    TemplateRow,
    TodoRow,
    UserRow,
    WebhookRow,
)
from shared.db.session import Database
from shared.keyring import Keyring
from shared.providers.unipile import UnipileClient
from tests.factories import Company
from tests.fakes.bland import FakeBland
from tests.fakes.unipile import FakeUnipile


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """`token`: of the company's admin."""

    url: str
    token: str
    company_id: UUID


@pytest.fixture
async def parts(parts: Parts) -> AsyncIterator[Parts]:
    """With a Unipile that gives links away, and a Bland."""
    unipile, bland = FakeUnipile(), FakeBland()
    async with unipile.http() as http, bland.http() as calls:
        client = UnipileClient(http, endpoint=unipile.endpoint, api_key=unipile.api_key)
        door = bland_door(calls, bland.endpoint, bland.secret)
        yield replace(parts, unipile=client, bland=door)


@pytest.fixture
async def gateway(
    app: FastAPI, container: Container, company: Company, keyring: Keyring
) -> AsyncIterator[Gateway]:
    async with company.session() as session:
        session.add(MembershipRow(user_id=company.user_id, role=Role.ADMIN))
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    server = StoppingServer(config, before_stop=container.events.close)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve([listening]))
        token = AccessTokens(keyring).issue(company.user_id, company.id)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        yield Gateway(url=url, token=token, company_id=company.id)
        server.should_exit = True
        await serving


async def make_ids(company: Company, database: Database) -> dict[str, str]:
    """By the names that they have in paths."""
    campaign = await company.make_campaign()
    recipient = await company.make_recipient(campaign)
    key = ApiKeyRow(name="k", prefix="drb_", key_hash=str(uuid7()), scopes=["read"])
    segment = SegmentRow(name=f"Paris {campaign.id}", filter={"city": "Paris"})
    todo, template = TodoRow(title="Call back"), TemplateRow(name="Hi", message_template="Hello")
    webhook = WebhookRow(url="https://127.0.0.1:1", events=["*"], secret=b"-")
    async with company.session() as session:
        session.add_all([key, segment, todo, template, webhook])
    # Somebody else than the one who calls, who would lose the role.
    user_id = uuid7()
    async with database.outside_session() as session:
        session.add(UserRow(id=user_id, email=f"kim-{user_id}@acme.test", name="Kim"))
    async with company.session() as session:
        session.add(MembershipRow(user_id=user_id, role=Role.MEMBER))
    return {
        "user_id": str(user_id),
        "lead_id": str(await company.make_lead()),
        "campaign_id": str(campaign.id),
        "recipient_id": str(recipient.recipient_id),
        "key_id": str(key.id),
        "segment_id": str(segment.id),
        "todo_id": str(todo.id),
        "template_id": str(template.id),
        "webhook_id": str(webhook.id),
    }
