"""A campaign of the database as a rehearsal begins: its draft steps, its people, its accounts.

Who was started already goes on from where it stands. All follow the draft, also those who are
pinned to an older version.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from shared.db.callees import callee_in, calling_hours
from shared.db.models.campaigns import CampaignStatus
from shared.db.models.recipients import ActionStatus
from shared.db.repositories.places import PLACE_COLUMNS, calendar_of, window_of
from shared.db.repositories.situation_rows import ACTIONS, to_action
from shared.db.repositories.situations import BEGUN, SETTLED, Situation
from shared.db.repositories.versions import VersionShelf, draft_of, needs_of, to_version
from shared.domain.calling import why_denied
from shared.domain.channels import MAIL_KINDS, AccountKind, Channel
from shared.domain.pacing import WORKSPACE_A_DAY, limits_of, linkedin_limits
from shared.domain.recipient import ActivityName
from shared.domain.rehearsal_diary import Sender
from shared.domain.rehearsal_people import Behaviour
from shared.domain.rehearsal_scene import Past, Person, Scene
from shared.domain.windows import Opening
from shared.errors import NotFound
from shared.templating.gaps import gaps_of, lead_needs
from shared.templating.needs import Need

_CAMPAIGN = text("""
select c.id, c.start_at, c.limits, c.account_id, c.account_ids from campaigns c
where c.id = :campaign_id and c.deleted_at is null
""")
# The mailboxes that the launcher would take, and every account of another kind.
_ACCOUNTS = text("""
select a.id, a.kind, a.email, least(a.daily_limit, a.daily_ceiling) as daily_limit, a.limits,
  coalesce(a.ramp_from_at, a.created_at) as ramp_from_at, a.id = any (:named) as is_named,
  array(select s.at from (
    select coalesce(x.settled_at, x.attempted_at) as at from actions x
    where x.account_id = a.id and x.attempted_at > cast(:now as timestamptz) - interval '7 days'
      and x.status not in ('skipped', 'abandoned')
    union all
    select r.slot_at from recipients r
    where r.next_account_id = a.id and r.slot_at > :now and r.ended_at is null
      and r.campaign_id <> :campaign_id) s order by s.at) as busy
from accounts a where a.status <> 'disconnected'
order by array_position(cast(:named as uuid[]), a.id), a.is_primary desc, a.created_at, a.id
""")
_PEOPLE = text(f"""
select r.id, r.account_id as sender_id, {PLACE_COLUMNS}, l.email, l.name,
  r.started_at, r.paused_at, r.away_until, r.hurried_step_id, r.hurried_at, r.slot_at,
  r.slot_step_id, r.slot_words, r.end_reason,
  coalesce(r.pinned_version_id, c.version_id) as version_id,
  c.paused_at as campaign_paused_at, c.resumed_at as campaign_resumed_at,
  '{CampaignStatus.ACTIVE}' as campaign_status, c.deleted_at,
  cast(null as uuid) as account_id, cast(null as json) as other_accounts,
  case when r.started_at is not null then
    (select {ACTIONS} from actions x where x.recipient_id = r.id) end as actions,
  exists (select 1 from suppressions s where s.key_hash = any (l.suppression_keys))
    as is_suppressed,
  case when :with_lead then to_jsonb(l) end as lead,
  (select co.settings -> 'calls_without_consent_in' from companies co) as exempt
from recipients r join campaigns c on c.id = r.campaign_id join leads l on l.id = r.lead_id
where r.campaign_id = :campaign_id and (r.ended_at is null or not :is_open)
order by r.id
""")  # noqa: S608 - made of our own words


async def read_scene(
    session: AsyncSession,
    campaign_id: UUID,
    *,
    begins_at: datetime,
    behaviour: Behaviour,
    seed: int,
    is_open: bool = True,
) -> Scene:
    """Raises NotFound. `is_open`: without those who have ended already."""
    connection = await session.connection()
    values: dict[str, Any] = {"campaign_id": campaign_id}
    campaign = (await connection.execute(_CAMPAIGN, values)).one_or_none()
    if campaign is None:
        raise NotFound(f"Campaign {campaign_id} is not there")
    draft = await draft_of(session, campaign_id)
    steps = to_version(campaign_id, 0, draft).steps
    needs = lead_needs(
        {UUID(it["id"]): (it["subject"] or "", it["message_template"]) for it in draft}
    )
    named = campaign.account_ids or ([campaign.account_id] if campaign.account_id else [])
    accounts = await connection.execute(_ACCOUNTS, values | {"named": named, "now": begins_at})
    asked = {"with_lead": bool(needs_of(steps) or needs), "is_open": is_open}
    people = (await connection.execute(_PEOPLE, values | asked)).all()
    pasts = await _pasts(connection, people, begins_at)
    return Scene(
        campaign_id=campaign_id,
        steps=steps,
        people=tuple(_to_person(row, begins_at, needs, pasts.get(row.id)) for row in people),
        senders=tuple(_serving(accounts.all())),
        begins_at=begins_at,
        start_at=campaign.start_at,
        new_leads_per_day=campaign.limits.get("new_leads_per_day"),
        is_weighted=campaign.limits.get("rotation") == "weighted",
        behaviour=behaviour,
        seed=seed,
    )


def _serving(accounts: Sequence[Row[Any]]) -> Iterator[Sender]:
    """Of mailboxes those that the campaign names, else the first; of each other kind as well."""
    kinds: dict[object, list[Row[Any]]] = {}
    for account in accounts:
        kind = AccountKind(account.kind)
        kinds.setdefault("mail" if kind in MAIL_KINDS else kind, []).append(account)
    for fitting in kinds.values():
        named = [account for account in fitting if account.is_named]
        yield from map(_to_sender, named or fitting[:1])


def _to_sender(row: Row[Any]) -> Sender:
    kind = AccountKind(row.kind)
    limits_by = {}
    if kind is AccountKind.LINKEDIN:
        by_activity = linkedin_limits(row.daily_limit, row.limits, begun_at=row.ramp_from_at)
        limits_by = {
            Channel.LINKEDIN_CONNECTION: by_activity[ActivityName.LINKEDIN_INVITE],
            Channel.LINKEDIN_MESSAGE: by_activity[ActivityName.LINKEDIN_MESSAGE],
        }
    return Sender(
        id=row.id,
        name=row.email,
        kind=kind,
        limits=limits_of(row.daily_limit, row.limits, begun_at=row.ramp_from_at, kind=kind),
        limits_by=limits_by,
        weight=row.daily_limit if row.daily_limit is not None else WORKSPACE_A_DAY,
        busy=tuple(row.busy),
    )


async def _pasts(
    connection: AsyncConnection, people: Sequence[Row[Any]], now: datetime
) -> dict[UUID, Past]:
    """Of those who were started already. Whatever holds the whole campaign is left out."""
    shelf, pasts = VersionShelf(), {}
    for row in people:
        if row.started_at is None or row.version_id is None:
            continue
        actions = {a.step_id: a for a in map(to_action, row.actions or [])}
        needed = {action.version_id for action in actions.values()} | {row.version_id}
        versions = {id_: await shelf.get(connection, id_) for id_ in needed}
        situation = Situation(recipient=row, rest=row, versions=versions, actions=actions)
        pasts[row.id] = _to_past(situation, now)
    return pasts


def _to_past(situation: Situation, now: datetime) -> Past:
    actions = situation.actions.values()
    settled = {a.step_id: a.settled_at or a.attempted_at for a in actions if a.status in SETTLED}
    # The draft may ask for more than the version does that they follow.
    progress = replace(
        situation.to_progress(now),
        outcomes={a.step_id: a.outcomes for a in actions if a.outcomes},
        done_at=settled,
    )
    return Past(
        progress=progress,
        reached={a.step_id: settled[a.step_id] for a in actions if a.status is ActionStatus.SENT},
        begun=frozenset(a.account_id for a in actions if a.status in BEGUN and a.account_id),
    )


def _to_person(
    row: Row[Any], now: datetime, needs: Mapping[UUID, tuple[Need, ...]], past: Past | None
) -> Person:
    window = window_of(row, now)
    return Person(
        id=row.id,
        name=row.email or row.name or str(row.id),
        calendar=calendar_of(row, now),
        window=window,
        calling=calling_hours(row.lead, now, beside=window) if row.lead else None,
        lead=row.lead or {},
        sender_id=row.sender_id,
        past=past,
        denied=denied_in(row.lead, now, window, exempt=row.exempt or ()) if row.lead else {},
        gaps=gaps_of(needs, row.lead or {}),
        flaw="it must not be contacted any more" if row.is_suppressed else None,
    )


def denied_in(
    lead: Mapping[str, Any], now: datetime, window: Opening | None, *, exempt: Collection[str] = ()
) -> dict[Channel, str]:
    """Why a lead cannot be reached in some channels. `exempt`: see `calling.why_denied`."""
    denied = {} if lead.get("email") else {Channel.EMAIL: "The lead has no e-mail address"}
    if not lead.get("linkedin_url"):
        words = "The lead has no LinkedIn profile"
        denied |= {Channel.LINKEDIN_CONNECTION: words, Channel.LINKEDIN_MESSAGE: words}
    if why := why_denied(callee_in(lead, now), consent=lead.get("consent"), exempt=exempt):
        denied[Channel.CALL] = why
    elif calling_hours(lead, now, beside=window) is None:
        denied[Channel.CALL] = "The campaign's hours are never a good time for a call there"
    return denied
