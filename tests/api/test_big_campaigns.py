"""What is asked of a campaign costs the same whether ten or many thousands are inside."""

import httpx
from sqlalchemy import text

from api.services.endings import MOST_ENDED
from shared.db.session import Database
from shared.domain.recipient import HoldReason
from tests.factories import Campaign, Company
from tests.fakes.conductor import RecordingConductor
from tests.wakings import tell_everybody

# The same with 100,000, which only takes longer to make.
MANY = 10_000

_LEADS = text("""
insert into leads (email) select 'lead-' || n || '@example.test'
from generate_series(1, :number) n
""")
_SLEEPERS = text("""
insert into recipients (campaign_id, lead_id, started_at, launched_at, next_at, next_step_id)
select :campaign_id, id, now(), now(), now() + interval '3 days', :step_id from leads
""")
# A row that is written gets the writer's transaction id.
_WRITERS = text("select count(distinct xmin::text) from recipients")


async def fill(database: Database, company: Company, campaign: Campaign, number: int) -> None:
    async with database.company_transaction(company.id) as connection:
        await connection.execute(_LEADS, {"number": number})
        values = {"campaign_id": campaign.id, "step_id": campaign.step_ids[1]}
        await connection.execute(_SLEEPERS, values)


async def test_thousands_who_sleep_are_not_touched_by_a_pause_and_a_resume(
    *,
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
    database: Database,
) -> None:
    await fill(database, company, campaign, MANY)
    url = f"/api/campaigns/{campaign.id}"

    answers = [await api.post(f"{url}/{verb}") for verb in ("pause", "resume")]
    await tell_everybody(database, conductor)

    assert [answer.status_code for answer in answers] == [200, 200]
    async with database.company_transaction(company.id) as connection:
        assert await connection.scalar(_WRITERS) == 1
    # Nobody was parked, so nobody is woken either.
    assert conductor.wakes == []


async def test_those_who_were_parked_are_woken_in_the_background(
    *,
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
    database: Database,
) -> None:
    await fill(database, company, campaign, 500)
    url = f"/api/campaigns/{campaign.id}"
    await api.post(f"{url}/pause")
    async with database.company_transaction(company.id) as connection:
        await connection.execute(
            text("update recipients set parked_at = now(), hold_reason = :reason"),
            {"reason": HoldReason.CAMPAIGN_PAUSED},
        )

    await api.post(f"{url}/resume")
    told_by_the_request = len(conductor.wakes)
    await tell_everybody(database, conductor)

    assert told_by_the_request == 0
    assert len({ref.recipient_id for ref, _ in conductor.wakes}) == 500


async def test_a_big_campaign_is_completed_at_once_and_ends_its_recipients_afterwards(
    *,
    api: httpx.AsyncClient,
    company: Company,
    campaign: Campaign,
    conductor: RecordingConductor,
    database: Database,
) -> None:
    await fill(database, company, campaign, MOST_ENDED + 1)

    answer = await api.post(f"/api/campaigns/{campaign.id}/complete")

    assert answer.json()["status"] == "completed"
    assert answer.json()["stats"]["in_progress"] == MOST_ENDED + 1
    await tell_everybody(database, conductor)
    stats = (await api.get(f"/api/campaigns/{campaign.id}/stats")).json()
    assert (stats["in_progress"], stats["completed"]) == (0, MOST_ENDED + 1)
    assert len({ref.recipient_id for ref, _ in conductor.stops}) == MOST_ENDED + 1
