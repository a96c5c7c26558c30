"""Jobs that read mailboxes themselves report what came in."""

from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from shared.contracts.recipient import RecipientRef
from shared.db.models import ActionRow, ActionStatus, LeadRow, RecipientRow
from shared.domain.recipient import EndReason
from tests.factories import NOON, Company
from tests.fakes.conductor import RecordingConductor

Json = dict[str, Any]
REPORT = {
    "provider": "mailbox-job",
    "provider_event_id": "4711",
    "kind": "reply",
    "text": "Yes, please",
    "occurred_at": "2026-03-03T10:00:00Z",
}


@pytest.fixture
async def written_to(company: Company) -> RecipientRef:
    """A recipient who has had one mail, in thread t1."""
    campaign = await company.make_campaign()
    ref = await company.make_recipient(campaign)
    async with company.session() as session:
        row = await session.get_one(RecipientRow, ref.recipient_id)
        row.started_at = row.launched_at = row.last_action_at = NOON
        session.add(
            ActionRow(
                id=uuid7(),
                recipient_id=ref.recipient_id,
                campaign_id=campaign.id,
                step_id=campaign.step_ids[0],
                account_id=company.account_id,
                version_id=uuid7(),
                status=ActionStatus.SENT,
                planned_at=NOON,
                attempted_at=NOON,
                settled_at=NOON,
                thread_id="t1",
                message_id="<m1@acme.test>",
            )
        )
    return ref


@pytest.fixture
async def job(api: httpx.AsyncClient, company: Company) -> dict[str, str]:
    """The headers of a machine that may report."""
    made = await api.post(
        f"/api/companies/{company.id}/api-keys", json={"name": "job", "scopes": ["inbound"]}
    )
    return {"X-Api-Key": made.json()["key"]}


@pytest.mark.parametrize(
    "whose",
    [
        pytest.param({"thread_id": "t1"}, id="by its thread"),
        pytest.param({"in_reply_to": "m1@acme.test"}, id="by the mail it answers"),
    ],
)
async def test_a_reported_reply_stops_the_rest(
    *,
    anybody: httpx.AsyncClient,
    job: dict[str, str],
    company: Company,
    written_to: RecipientRef,
    conductor: RecordingConductor,
    whose: Json,
) -> None:
    answers = [
        await anybody.post("/api/inbound", json=REPORT | whose, headers=job) for _ in range(2)
    ]

    row = await company.recipient(written_to.recipient_id)
    assert [answer.status_code for answer in answers] == [202, 200]
    assert row.end_reason is EndReason.REPLIED
    assert [ref for ref, _ in conductor.stops] == [written_to]


async def test_what_a_reply_means_is_shown(
    api: httpx.AsyncClient,
    anybody: httpx.AsyncClient,
    job: dict[str, str],
    company: Company,
    written_to: RecipientRef,
) -> None:
    await anybody.post("/api/inbound", json=REPORT | {"thread_id": "t1"}, headers=job)

    lead_id = (await company.recipient(written_to.recipient_id)).lead_id
    at_lead = f"/api/companies/{company.id}/leads/{lead_id}"
    lead = (await api.get(at_lead)).json()
    [entry] = [
        it for it in (await api.get(f"{at_lead}/timeline")).json()["items"] if it["what"] == "reply"
    ]
    recipients = f"/api/campaigns/{written_to.campaign_id}/recipients"
    shown = (await api.get(f"{recipients}/{written_to.recipient_id}")).json()
    assert (entry["reply_class"], entry["class_source"]) == ("interested", "rules")
    assert (lead["status"], shown["reply_class"]) == ("interested", "interested")


async def test_an_address_is_found_in_whatever_case(
    anybody: httpx.AsyncClient, job: dict[str, str], company: Company, written_to: RecipientRef
) -> None:
    row = await company.recipient(written_to.recipient_id)
    async with company.session() as session:
        lead = await session.get_one(LeadRow, row.lead_id)
        address = lead.email or ""

    await anybody.post("/api/inbound", json=REPORT | {"address": address.upper()}, headers=job)

    assert (await company.recipient(written_to.recipient_id)).end_reason is EndReason.REPLIED


async def test_two_jobs_may_count_alike(anybody: httpx.AsyncClient, job: dict[str, str]) -> None:
    reports = [REPORT | {"thread_id": "t", "provider": provider} for provider in ("one", "two")]

    answers = [await anybody.post("/api/inbound", json=body, headers=job) for body in reports]

    assert [answer.status_code for answer in answers] == [202, 202]


async def test_a_report_is_kept_while_temporal_is_away(
    anybody: httpx.AsyncClient,
    job: dict[str, str],
    company: Company,
    written_to: RecipientRef,
    conductor: RecordingConductor,
) -> None:
    conductor.is_down = True

    answer = await anybody.post("/api/inbound", json=REPORT | {"thread_id": "t1"}, headers=job)

    assert answer.status_code == 202
    assert (await company.recipient(written_to.recipient_id)).end_reason is EndReason.REPLIED


async def test_a_reporting_key_does_nothing_else(
    anybody: httpx.AsyncClient, job: dict[str, str]
) -> None:
    answer = await anybody.get("/api/campaigns", headers=job)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({}, "body", id="nobody's"),
        pytest.param({"thread_id": "t", "kind": "smile"}, "kind", id="an unknown kind"),
        pytest.param(
            {"thread_id": "t", "occurred_at": "2026-03-03T10:00:00"}, "occurred_at", id="no zone"
        ),
    ],
)
async def test_a_wrong_report_names_the_field(
    anybody: httpx.AsyncClient, job: dict[str, str], change: Json, field: str
) -> None:
    answer = await anybody.post("/api/inbound", json=REPORT | change, headers=job)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
