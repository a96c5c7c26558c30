"""A person who asks to be erased is in no table and in no file any more."""

import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, text

from shared.contracts.recipient import RecipientRef
from shared.db.base import Base
from shared.db.models import InboundEventRow, JobKind, JobRow, RefusedRowRow, SuppressionRow
from shared.db.session import Database
from shared.domain.inbound import InboundKind
from shared.domain.recipient import EndReason
from shared.storage import Storage
from tests.api.conftest import make_action
from tests.factories import NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor

EMAIL = "ada_quillfeather@engines.example.com"
PHONE = "+442079460000"
PROFILE = "https://www.linkedin.com/in/ada-quillfeather"
NAMES = (EMAIL, PHONE, PROFILE, "Quillfeather", "Countess")
ADA = {
    "email": EMAIL,
    "phone": PHONE,
    "linkedin_url": PROFILE,
    "first_name": "Ada",
    "last_name": "Quillfeather",
    "custom": {"title": "Countess"},
}
FILE = f"Email,Name\r\nEve@example.com,Eve\r\n{EMAIL.upper()},Quillfeather\r\n"


async def stream(content: bytes, *, size: int = 7) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def dump(database: Database, company: Company, storage: Storage) -> str:
    """Whatever there is of a company, and what lies outside every company."""
    lines: list[str] = []
    async with database.company_session(company.id, user_id=company.user_id) as session:
        for name in Base.metadata.tables:
            rows = await session.scalars(text(f"select to_jsonb(t)::text from {name} t"))  # noqa: S608 - a table's name
            lines += rows.all()
    for key in await storage.list(f"leads-uploads/{company.id}/"):
        lines.append("".join([part.decode("latin-1") async for part in storage.open(key)]))
    return "\n".join(lines).lower()


@pytest.fixture
async def lead_id(api: httpx.AsyncClient, company: Company) -> UUID:
    made = await api.post(
        f"/api/companies/{company.id}/leads", json=ADA, headers={"Idempotency-Key": str(uuid4())}
    )
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


@pytest.fixture
async def recipient(
    api: httpx.AsyncClient, company: Company, campaign: Campaign, url: str, lead_id: UUID
) -> RecipientRef:
    """Written to, answered, imported, suppressed, changed: with traces wherever there are any."""
    added = (await api.post(url, json={"contact_ids": [str(lead_id)]})).json()["recipients"][0]
    recipient_id = UUID(added["id"])
    job = JobRow(
        kind=JobKind.IMPORT,
        errors=[{"row": 3, "message": f"{EMAIL} is there twice"}, {"row": 4, "message": "empty"}],
        more={"samples": {"Email": [EMAIL]}},
    )
    async with company.session() as session:
        session.add_all([make_action(campaign, company, recipient_id), job])
        await session.flush()
        session.add(RefusedRowRow(job_id=job.id, number=3, reason="twice", cells=["x", EMAIL]))
        for event_id, of in (("1", recipient_id), ("2", None)):
            session.add(
                InboundEventRow(
                    provider="gmail",
                    provider_event_id=event_id,
                    kind=InboundKind.REPLY,
                    recipient_id=of,
                    address=EMAIL,
                    text="Yours, Countess Quillfeather",
                    occurred_at=NOON,
                )
            )
    await api.put(f"/api/companies/{company.id}/leads/{lead_id}", json={"city": "London"})
    return RecipientRef(company_id=company.id, campaign_id=campaign.id, recipient_id=recipient_id)


@pytest.fixture
def erase_url(company: Company, lead_id: UUID) -> str:
    return f"/api/companies/{company.id}/leads/{lead_id}/erase"


async def test_an_erased_person_is_nowhere(
    *,
    api: httpx.AsyncClient,
    company: Company,
    database: Database,
    storage: Storage,
    conductor: RecordingConductor,
    recipient: RecipientRef,
    erase_url: str,
) -> None:
    await storage.put(f"leads-uploads/{company.id}/1.csv", stream(FILE.encode("utf-16-le")))
    await storage.put(f"leads-uploads/{company.id}/2.csv", stream(b"Email\r\neve@example.com\r\n"))
    before = await dump(database, company, storage)
    for name in NAMES:
        assert name.lower() in before, name

    answer = await api.post(erase_url)

    assert answer.status_code == 204, answer.text
    after = await dump(database, company, storage)
    for name in NAMES:
        assert name.lower() not in after, name
    assert "eve@example.com" in after
    assert [(ref, signal.reason) for ref, signal in conductor.stops] == [
        (recipient, EndReason.REMOVED)
    ]
    assert (await api.post(erase_url)).status_code == 404


def _is_running(dumped: str) -> bool:
    return any(json.loads(line).get("started_at") for line in dumped.splitlines()[:-2])


async def test_whoever_was_erased_is_not_contacted_again(
    *, api: httpx.AsyncClient, company: Company, url: str, recipient: RecipientRef, erase_url: str
) -> None:
    await api.post(erase_url)
    async with company.session() as session:
        kept = (await session.scalars(select(SuppressionRow))).all()
    assert kept
    assert {row.value for row in kept} == {None}

    again = await api.post(f"/api/companies/{company.id}/leads", json=ADA)
    added = await api.post(url, json={"contact_ids": [again.json()["id"]]})

    assert added.json()["added"] == 0
    assert "suppressed" in added.json()["refused"][0]["reason"]


async def test_that_somebody_was_erased_stays_in_the_log(
    api: httpx.AsyncClient, company: Company, lead_id: UUID, erase_url: str
) -> None:
    await api.post(erase_url)

    log = await api.get(f"/api/companies/{company.id}/audit", params={"subject_id": str(lead_id)})

    newest, *_ = log.json()["items"]
    assert (newest["action"], newest["user_id"]) == ("deleted", str(company.user_id))
    assert all(it["before"] is it["after"] is None for it in log.json()["items"])
