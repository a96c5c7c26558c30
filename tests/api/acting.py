"""What the workers do, one attempt at a time, for tests that go on where the gateway stopped."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from temporalio.testing import ActivityEnvironment

from shared.contracts.recipient import ActionOrder
from shared.db.models import RecipientRow
from shared.db.session import Database
from shared.domain.recipient import ActivityName, Outcome, Planned
from shared.keyring import Keyring
from tests.factories import Company
from tests.fakes.conductor import RecordingConductor
from tests.fakes.gmail import FakeGmail, FakeTokens
from workflows.parts import Parts, make_parts


class Workers:
    """Does what a recipient's plan names, as its workflow would."""

    def __init__(self, company: Company, parts: Parts) -> None:
        self._company, self._parts = company, parts

    async def go_on(self, recipient_id: UUID, instant: datetime | None = None) -> Outcome:
        """Look at the rows, and do what is due."""
        planned = await self.look(recipient_id, instant)
        if not isinstance(planned, Planned) or planned.at > (instant or datetime.now(UTC)):
            return planned
        return await self._act(planned.activity, recipient_id, planned.step_id, instant)

    async def look(self, recipient_id: UUID, instant: datetime | None = None) -> Outcome:
        return await self._act(ActivityName.RECIPIENT_PLAN, recipient_id, None, instant)

    async def next_at(self, recipient_id: UUID) -> datetime | None:
        async with self._company.session() as session:
            return (await session.get_one(RecipientRow, recipient_id)).next_at

    async def _act(
        self,
        activity: ActivityName,
        recipient_id: UUID,
        step_id: UUID | None,
        instant: datetime | None,
    ) -> Outcome:
        order = ActionOrder(
            company_id=self._company.id,
            recipient_id=recipient_id,
            activity=activity,
            step_id=step_id,
        )
        environment = ActivityEnvironment()
        started = instant or datetime.now(UTC)
        environment.info = replace(environment.info, started_time=started)
        deeds = {
            ActivityName.RECIPIENT_PLAN: self._parts.recipient.plan,
            ActivityName.TASK_OPEN: self._parts.tasks.open,
        }
        deed = deeds.get(activity, self._parts.gmail.send)
        outcome: Outcome = await environment.run(deed, order)
        return outcome


@asynccontextmanager
async def working(
    company: Company,
    *,
    database: Database,
    keyring: Keyring,
    conductor: RecordingConductor,
    gmail: FakeGmail,
) -> AsyncIterator[Workers]:
    tokens = FakeTokens()
    async with gmail.http() as http:
        parts = make_parts(
            database=database,
            keyring=keyring,
            conductor=conductor,
            http=http,
            token_source_of=lambda _: tokens,
            gmail_endpoint=gmail.endpoint,
            poll_seconds=1,
        )
        yield Workers(company, parts)
