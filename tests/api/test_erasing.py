"""A person who asks to be erased is in no table and in no file any more."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, text

from api.services.erasing import ERASE
from shared.contracts.recipient import RecipientRef
from shared.db.base import Base
from shared.db.models import (
    DeliveryStatus,
    EventRow,
    InboundEventRow,
    JobKind,
    JobRow,
    JobStatus,
    RefusedRowRow,
    SegmentRow,
    SuppressionRow,
    TodoRow,
    WebhookDeliveryRow,
    WebhookRow,
)
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
OLD_EMAIL = "ada.byron@old.example.com"
NAMES = (EMAIL, OLD_EMAIL, PHONE, "7946 0000", "ada-quillfeather", "Quillfeather", "Countess")
ADA = {
    "email": OLD_EMAIL,
    "phone": PHONE,
    "linkedin_url": PROFILE,
    "first_name": "Ada",
    "last_name": "Quillfeather",
    "custom": {"title": "Countess"},
}
# As people write them, and as they come out of a spreadsheet.
REFUSED = (
    ["x", EMAIL.upper()],
    ["ada@@engines", "Quillfeather", "Ada"],
    ["Ms A.", "(020) 7946 0000", "https://uk.linkedin.com/in/Ada-Quillfeather/?utm=1"],
)
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
        more={"samples": {"Email": [EMAIL]}, "file_name": "Ada Quillfeather.csv"},
    )
    headless = JobRow(kind=JobKind.IMPORT, more={"headers": [OLD_EMAIL, "Ada"], "wanted": {}})
    async with company.session() as session:
        webhook = WebhookRow(url="https://127.0.0.1:1", events=["*"], secret=b"-")
        action = make_action(campaign, company, recipient_id)
        session.add_all([action, job, headless, webhook])
        await session.flush()
        for number, cells in enumerate(REFUSED, start=3):
            session.add(RefusedRowRow(job_id=job.id, number=number, reason="no", cells=cells))
        session.add(RefusedRowRow(job_id=job.id, number=9, reason="no", cells=["Eve", "Quill"]))
        session.add(EventRow(name="reply.received", payload={"from": EMAIL}))
        session.add(TodoRow(title=f"Write to {EMAIL} again"))
        session.add(
            WebhookDeliveryRow(
                webhook_id=webhook.id,
                event_id=webhook.id,
                event="reply.received",
                response_body=f"unknown: {EMAIL}",
                status=DeliveryStatus.FAILED,
                occurred_at=NOON,
            )
        )
        session.add(SegmentRow(name="her", filter={"q": EMAIL}))
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
    url = f"/api/companies/{company.id}/leads/{lead_id}"
    await api.put(url, json={"city": "London", "email": EMAIL})
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
    for number, content in enumerate((OLD_EMAIL, "020/7946 0000", '"Quillfeather";"Ada"')):
        await storage.put(
            f"leads-uploads/{company.id}/more-{number}.csv", stream(content.encode("utf-16"))
        )
    before = await dump(database, company, storage)
    for name in NAMES:
        assert name.lower() in before, name
    left = await storage.list(f"leads-uploads/{company.id}/")

    answer = await api.post(erase_url)

    assert answer.status_code == 204, answer.text
    after = await dump(database, company, storage)
    for name in NAMES:
        assert name.lower() not in after, name
    assert "eve@example.com" in after
    assert '["eve", "quill"]' in after
    assert (len(left), await storage.list(f"leads-uploads/{company.id}/")) == (
        5,
        [f"leads-uploads/{company.id}/2.csv"],
    )
    assert [(ref, signal.reason) for ref, signal in conductor.stops] == [
        (recipient, EndReason.REMOVED)
    ]
    assert (await api.post(erase_url)).status_code == 404


async def test_whoever_was_erased_is_not_contacted_again(
    *, api: httpx.AsyncClient, company: Company, url: str, recipient: RecipientRef, erase_url: str
) -> None:
    await api.post(erase_url)
    async with company.session() as session:
        kept = (await session.scalars(select(SuppressionRow))).all()
    assert kept
    assert {row.value for row in kept} == {None}
    assert {(row.kind, row.reason, row.source) for row in kept} == {
        (kind, "erased", "erasure") for kind in ("email", "phone", "linkedin")
    }

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


async def test_whoever_is_called_much_the_same_stays(
    api: httpx.AsyncClient, company: Company, storage: Storage, lead_id: UUID, erase_url: str
) -> None:
    """Neither a longer address nor a colleague of the same domain is this person."""
    longer = f"x.{OLD_EMAIL}"
    async with company.session() as session:
        for number, address in enumerate((longer, f"{OLD_EMAIL}.uk")):
            session.add(
                InboundEventRow(
                    provider="gmail",
                    provider_event_id=f"{number}",
                    kind=InboundKind.REPLY,
                    address=address,
                    occurred_at=NOON,
                )
            )
    await api.post(erase_url)

    async with company.session() as session:
        kept = (await session.scalars(select(InboundEventRow.address))).all()
    colleague = await api.post(
        f"/api/companies/{company.id}/leads", json={"email": "eve@old.example.com"}
    )
    campaign = await company.make_campaign()
    added = await api.post(
        f"/api/campaigns/{campaign.id}/recipients", json={"contact_ids": [colleague.json()["id"]]}
    )
    assert len(kept) == 2
    assert added.json()["added"] == 1, added.text


async def test_an_import_under_way_does_not_bring_the_person_back(
    api: httpx.AsyncClient, company: Company, storage: Storage, lead_id: UUID, erase_url: str
) -> None:
    key = f"leads-uploads/{company.id}/1.csv"
    await storage.put(key, stream(OLD_EMAIL.encode()))
    more = {"key": key, "is_applied": True, "wanted": {}}
    job = JobRow(kind=JobKind.IMPORT, status=JobStatus.RUNNING, more=more)
    async with company.session() as session:
        session.add(job)

    await api.post(erase_url)

    task = (await api.get(f"/api/tasks/{job.id}")).json()
    assert task["status"] == "failed"
    assert "upload it again without them" in task["errors"][0]["message"]


def test_whatever_hangs_on_a_person_goes_with_them() -> None:
    """A new table that names a recipient or a lead is deleted by its key, or by a statement."""
    statements = " ".join(str(it) for it in ERASE)
    for table in Base.metadata.sorted_tables:
        for name in {"lead_id", "recipient_id"} & {*table.columns.keys()}:
            goes = any(key.ondelete == "CASCADE" for key in table.c[name].foreign_keys)
            assert goes or " ".join(("delete from", table.name, "")) in statements, (
                f"{table.name}.{name}: make its key ON DELETE CASCADE, or name it in erasing.py"
            )
