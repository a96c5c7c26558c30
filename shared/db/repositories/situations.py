"""One recipient with everything that decides its next move."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from shared.db.callees import calling_hours
from shared.db.models.accounts import AccountStatus
from shared.db.models.campaigns import CampaignStatus
from shared.db.models.recipients import ActionStatus
from shared.db.repositories.places import calendar_of, window_of
from shared.db.repositories.serving import Account, inviting_station_of, station_of, to_account
from shared.db.repositories.versions import Version
from shared.domain.branches import StepOutcome
from shared.domain.channels import BY_HAND_WITHOUT_ACCOUNT, KINDS_OF, AccountKind, Channel
from shared.domain.moves import anchor
from shared.domain.pacing import limits_of
from shared.domain.recipient import (
    ActivityName,
    EndReason,
    HoldReason,
    Pause,
    Progress,
    Station,
    Step,
    UnderWay,
)
from shared.domain.slots import Slot
from shared.domain.windows import Opening
from shared.errors import NotFound

# How an account of each kind sends mail; versions name the first one for every step that is mail.
MAIL_ACTIVITY = {
    AccountKind.GMAIL: ActivityName.GMAIL_SEND,
    AccountKind.SMTP: ActivityName.SMTP_SEND,
}
MAIL_ACTIVITIES = frozenset({*MAIL_ACTIVITY.values(), None})
SETTLED = frozenset({ActionStatus.SENT, ActionStatus.REFUSED, ActionStatus.SKIPPED})
OPEN = frozenset({ActionStatus.RESERVED, ActionStatus.UNCONFIRMED, ActionStatus.PLACED})
# Whoever has begun on an account stays there.
BEGUN = frozenset({*OPEN, ActionStatus.SENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One row of the ledger as it was read. Times are aware UTC.

    `account_id` None: a person does it. `activity` None: a mail of an earlier release.
    """

    id: UUID
    step_id: UUID
    account_id: UUID | None
    version_id: UUID
    status: ActionStatus
    round: int
    planned_at: datetime
    attempted_at: datetime
    content_hash: str | None = None
    draft_id: str | None = None
    thread_id: str | None = None
    provider_id: str | None = None
    message_id: str | None = None
    confirmed_at: datetime | None = None
    settled_at: datetime | None = None
    activity: ActivityName | None = None
    check_at: datetime | None = None
    outcomes: Mapping[StepOutcome, datetime] = field(default_factory=dict)


# Without slots: what is asked for again and again is kept once it is worked out.
@dataclass(frozen=True, kw_only=True)
class Situation:
    """`recipient` and `rest` are the rows of the two statements in `situation_rows`.

    `versions`: the current one and those that the actions were done in, by id.
    """

    recipient: Any
    rest: Any
    versions: dict[UUID, Version]
    actions: dict[UUID, Action]

    @property
    def version(self) -> Version | None:
        return self.versions.get(self.rest.version_id)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """With the activity that the kind of each step's account asks for."""
        version = self.version
        if version is None:
            return ()
        if version.is_mail_only and self.rest.account_kind != AccountKind.SMTP:
            return version.steps
        return tuple(replace(step, activity=self._activity_of(step)) for step in version.steps)

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing may leave: what is recorded as sent has reached nobody."""
        return bool(self.rest.dry_run)

    def account_of(self, channel: Channel) -> Account | None:
        """Which account serves a channel: the one it has begun with, a named one, the first."""
        if channel is Channel.EMAIL:
            return self._mailbox
        kinds = KINDS_OF[channel]
        fitting = [account for account in self._others if account.kind in kinds]
        begun = {a.account_id for a in self.actions.values() if a.status in BEGUN}
        if pinned := next((account for account in fitting if account.id in begun), None):
            return pinned
        named = [account for account in fitting if account.is_named]
        # Always the same one for a recipient; several share the recipients.
        return named[self.recipient.id.int % len(named)] if named else next(iter(fitting), None)

    def account_for(self, step_id: UUID | None) -> Account | None:
        """What a step goes through. None: a person does it, or there is none."""
        step = next((step for step in self.steps if step.id == step_id), None)
        if step is None or step.activity is ActivityName.TASK_OPEN:
            return None
        return self.account_of(step.channel)

    def account_with(self, account_id: UUID | None) -> Account:
        """The account of an action, or the mailbox that took its place. Raises NotFound."""
        known = [self._mailbox, *self._others]
        found = next((one for one in known if one and one.id == account_id), self._mailbox)
        if found is None:
            raise NotFound(f"Account {account_id} is not there")
        return found

    @cached_property
    def _mailbox(self) -> Account | None:
        rest = self.rest
        if rest.account_id is None:
            return None
        kind, begun_at = AccountKind(rest.account_kind), rest.ramp_from_at
        return Account(
            id=rest.account_id,
            user_id=rest.account_user_id,
            kind=kind,
            is_active=rest.account_status == AccountStatus.ACTIVE,
            trouble=rest.account_trouble,
            blocked_until=rest.blocked_until,
            block_reason=rest.block_reason,
            failures=rest.failures,
            limits=limits_of(rest.daily_limit, rest.account_limits, begun_at=begun_at, kind=kind),
        )

    @cached_property
    def _others(self) -> list[Account]:
        return [to_account(row) for row in self.rest.other_accounts or ()]

    def _activity_of(self, step: Step) -> ActivityName:
        if step.is_by_hand or step.channel is Channel.TASK:
            return ActivityName.TASK_OPEN
        if step.channel is Channel.EMAIL:
            kind = self.rest.account_kind
            return MAIL_ACTIVITY[AccountKind(kind)] if kind else ActivityName.GMAIL_SEND
        if step.channel in BY_HAND_WITHOUT_ACCOUNT and self.account_of(step.channel) is None:
            return ActivityName.TASK_OPEN
        return step.activity

    @property
    def last_settled(self) -> Action | None:
        settled = [action for action in self.actions.values() if action.status in SETTLED]
        return max(settled, key=_settled_at, default=None)

    @property
    def last_sent(self) -> Action | None:
        """The last action that reached the lead: a step that was skipped did not."""
        sent = [a for a in self.actions.values() if a.status is ActionStatus.SENT]
        return max(sent, key=_settled_at, default=None)

    def has_begun_on(self, account_id: UUID) -> bool:
        """Whether anything reached the lead from this account."""
        sent = (a for a in self.actions.values() if a.status is ActionStatus.SENT)
        return any(action.account_id == account_id for action in sent)

    @property
    def last_mail(self) -> Action | None:
        """What a follow-up by mail follows."""
        mails = [
            a
            for a in self.actions.values()
            if a.status is ActionStatus.SENT and a.activity in MAIL_ACTIVITIES
        ]
        return max(mails, key=_settled_at, default=None)

    @property
    def open_action(self) -> Action | None:
        """What an earlier attempt reserved and nobody has settled."""
        return next((a for a in self.actions.values() if a.status in OPEN), None)

    def to_progress(self, now: datetime) -> Progress:
        last, row = self.last_settled, self.recipient
        started_at = row.started_at or now.replace(microsecond=0)
        return Progress(
            started_at=max(started_at, self.rest.start_at or started_at),
            done=frozenset(a.step_id for a in self.actions.values() if a.status in SETTLED),
            trail=self.versions[last.version_id].trail_to(last.step_id) if last else (),
            anchor_at=anchor(planned_at=last.planned_at, done_at=_settled_at(last))
            if last
            else None,
            not_before=self.recipient.away_until,
            ended=self._ended(),
            held=self._held(),
            stations=self._stations(),
            **self._what_came_of_steps(),
            under_way=self._under_way(),
            hurried_step_id=self.recipient.hurried_step_id,
            hurried_at=self.recipient.hurried_at,
            calendar=calendar_of(self.rest, now),
            window=window_of(self.rest, now),
            calling=self._calling(now),
            pause=self._pause(),
            seed=str(row.id),
            slot=Slot(at=row.slot_at, words=row.slot_words or "") if row.slot_at else None,
            slot_step_id=row.slot_step_id,
        )

    def _ended(self) -> EndReason | None:
        if self.recipient.end_reason:
            return EndReason(self.recipient.end_reason)
        if self.rest.is_suppressed:
            return EndReason.SUPPRESSED
        is_over = self.rest.deleted_at or self.rest.campaign_status == CampaignStatus.COMPLETED
        return EndReason.CAMPAIGN_ENDED if is_over else None

    def _calling(self, now: datetime) -> Opening | None:
        """When the lead may be called, where a step of the version calls at all."""
        if self.version is None or not self.version.has_calls or self.rest.lead is None:
            return None
        return calling_hours(self.rest.lead, now, beside=window_of(self.rest, now))

    def _pause(self) -> Pause | None:
        began_at, ended_at = self.rest.campaign_paused_at, self.rest.campaign_resumed_at
        if began_at is None or ended_at is None or ended_at <= began_at:
            return None
        return Pause(began_at=began_at, ended_at=ended_at)

    def _held(self) -> HoldReason | None:
        if any(a.status is ActionStatus.UNCONFIRMED for a in self.actions.values()):
            return HoldReason.UNCONFIRMED
        match self.rest.campaign_status:
            case CampaignStatus.DRAFT:
                return HoldReason.CAMPAIGN_DRAFT
            case CampaignStatus.PAUSED:
                return HoldReason.CAMPAIGN_PAUSED
        if self.recipient.paused_at:
            return HoldReason.RECIPIENT_PAUSED
        return None

    def _stations(self) -> dict[Channel, Station]:
        stations = {Channel.EMAIL: station_of(self._mailbox, HoldReason.NO_ACCOUNT)}
        if self.version is None or self.version.is_mail_only:
            return stations
        stations[Channel.CALL] = station_of(self.account_of(Channel.CALL), HoldReason.NO_LINE)
        for channel in BY_HAND_WITHOUT_ACCOUNT:
            if account := self.account_of(channel):
                is_inviting = channel is Channel.LINKEDIN_CONNECTION
                station = inviting_station_of if is_inviting else station_of
                stations[channel] = station(account, HoldReason.NO_ACCOUNT)
        return stations

    def _what_came_of_steps(self) -> dict[str, Any]:
        """What conditions ask for; nothing where there are none."""
        if self.version is None or not self.version.has_guards:
            return {}
        actions = self.actions.values()
        return {
            "outcomes": {a.step_id: a.outcomes for a in actions if a.outcomes},
            "done_at": {a.step_id: _settled_at(a) for a in actions if a.status in SETTLED},
            "lead": self.rest.lead or {},
        }

    def _under_way(self) -> UnderWay | None:
        placed = (a for a in self.actions.values() if a.status is ActionStatus.PLACED)
        action = next(placed, None)
        return UnderWay(step_id=action.step_id, check_at=action.check_at) if action else None


def _settled_at(action: Action) -> datetime:
    return action.settled_at or action.attempted_at
