"""A step that waits for a person, and what they say of it."""

from typing import Any

import httpx

from shared.contracts.recipient import ActionOrder
from shared.db.models import RecipientRow
from shared.domain.channels import Channel
from tests.api.acting import Workers
from tests.factories import DAY, NOON, Company

PROFILE = "https://www.linkedin.com/in/ada"
URL = "/api/todos"
Json = dict[str, Any]


async def open_step(
    company: Company, workers: Workers, *channels: Channel, **more: Any
) -> ActionOrder:
    """A recipient whose first step waits for a person; the second comes a day later."""
    channels = channels or (Channel.TASK, Channel.TASK)
    waits = [0, DAY][: len(channels)]
    campaign = await company.make_campaign(
        waits=waits, channels=channels, options={"by_hand": True}, **more
    )
    lead_id = await company.make_lead(linkedin_url=PROFILE, phone="+33123456789")
    recipient = await company.make_recipient(campaign, lead_id=lead_id)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, recipient.recipient_id)
        row.started_at = row.launched_at = NOON
    await workers.go_on(recipient.recipient_id)
    return company.order(recipient, campaign.step_ids[0])


async def the_todo(api: httpx.AsyncClient) -> Json:
    [todo] = (await api.get(URL, params={"status": "open"})).json()["items"]
    return dict(todo)


async def report(api: httpx.AsyncClient, todo: Json, what: str, **body: Any) -> httpx.Response:
    return await api.post(f"{URL}/{todo['id']}/{what}", json=body)
