"""What an answer stops is a campaign's own choice; an unsubscription always stops everything."""

from typing import Any

import pytest
from uuid_utils.compat import uuid7

from shared.contracts.inbound import InboundEvent
from shared.contracts.recipient import RecipientRef
from shared.db.session import Database
from shared.domain.inbound import PERSON, InboundKind, StopRules
from shared.domain.recipient import EndReason
from shared.inbound import receive_inbound
from shared.keyring import Keyring
from tests.activities.paced import set_campaign
from tests.factories import NOON, Campaign, Company
from tests.fakes.conductor import RecordingConductor


class Lead:
    """One lead in two campaigns: it answers the first."""

    def __init__(self, company: Company, receive: Any) -> None:
        self.company, self._receive = company, receive
        self.refs: list[RecipientRef] = []

    @classmethod
    async def make(cls, company: Company, receive: Any, *rules: dict[str, bool]) -> "Lead":
        lead = cls(company, receive)
        lead_id = await company.make_lead()
        for stop_rules in rules:
            campaign: Campaign = await company.make_campaign()
            await set_campaign(company, campaign, stop_rules=stop_rules)
            lead.refs.append(await company.make_recipient(campaign, lead_id=lead_id))
        return lead

    async def sends(self, kind: InboundKind, provider: str = "gmail") -> list[EndReason | None]:
        event = InboundEvent(
            company_id=self.company.id,
            account_id=None,
            provider=provider,
            provider_event_id=str(uuid7()),
            kind=kind,
            recipient_id=self.refs[0].recipient_id,
            occurred_at=NOON,
        )
        await self._receive(event)
        return [(await self.company.recipient(it.recipient_id)).end_reason for it in self.refs]


@pytest.fixture
def receive(database: Database, keyring: Keyring, conductor: RecordingConductor) -> Any:
    async def receive(event: InboundEvent) -> None:
        await receive_inbound(database, keyring, conductor, event)

    return receive


REPLIED, UNSUBSCRIBED = EndReason.REPLIED, EndReason.UNSUBSCRIBED


@pytest.mark.parametrize(
    ("answered", "other", "ends"),
    [
        pytest.param({}, {}, [REPLIED, REPLIED], id="without rules both end"),
        pytest.param({"reply": False}, {}, [None, REPLIED], id="a newsletter goes on"),
        pytest.param(
            {"other_campaigns": False}, {}, [REPLIED, None], id="the other one is left alone"
        ),
        pytest.param({}, {"reply": False}, [REPLIED, None], id="the other one is a newsletter"),
        pytest.param(
            {"reply": False, "other_campaigns": False}, {}, [None, None], id="nothing ends"
        ),
    ],
)
async def test_an_answer_ends_what_the_campaigns_want(
    company: Company,
    receive: Any,
    answered: dict[str, bool],
    other: dict[str, bool],
    ends: list[EndReason | None],
) -> None:
    lead = await Lead.make(company, receive, answered, other)

    assert await lead.sends(InboundKind.REPLY) == ends


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(InboundKind.UNSUBSCRIBE, UNSUBSCRIBED), (InboundKind.BOUNCE, EndReason.BOUNCED)],
)
async def test_what_nobody_may_pass_over_ends_everything(
    company: Company, receive: Any, kind: InboundKind, reason: EndReason
) -> None:
    rules = {"reply": False, "other_campaigns": False}
    lead = await Lead.make(company, receive, rules, rules)

    assert await lead.sends(kind) == [reason, reason]


async def test_a_person_who_says_it_is_over_is_believed(company: Company, receive: Any) -> None:
    lead = await Lead.make(company, receive, {"reply": False})

    assert await lead.sends(InboundKind.REPLY, PERSON) == [REPLIED]


@pytest.mark.parametrize("wanted", [True, False])
async def test_colleagues_are_held_as_the_campaign_wants(
    company: Company, receive: Any, *, wanted: bool
) -> None:
    campaign = await company.make_campaign()
    await set_campaign(company, campaign, stop_rules={"colleagues": wanted})
    domain = f"lead-{company.id}.test"
    ids = [await company.make_lead(email=f"{name}@{domain}") for name in ("ada", "bob")]
    lead = Lead(company, receive)
    lead.refs = [await company.make_recipient(campaign, lead_id=id_) for id_ in ids]

    await lead.sends(InboundKind.REPLY)

    colleague = await company.recipient(lead.refs[1].recipient_id)
    assert (colleague.paused_at is not None) is wanted


def test_the_rules_are_a_table() -> None:
    usual, newsletter = StopRules(), StopRules(reply=False)

    assert usual.ends()
    assert usual.ends(usual)
    assert not newsletter.ends()
    assert newsletter.ends(usual)
    assert not usual.ends(newsletter)
