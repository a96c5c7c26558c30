"""Steps that a person does: it opens the to-do, once, and leaves the rest to them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from temporalio import activity

from activities.actions import Ledger
from activities.clock import now
from activities.results import Abandoned, Placed, Reserved, Skipped
from shared.content import fill_in, read_template
from shared.contracts.recipient import ActionOrder
from shared.db.models.recipients import ActionStatus
from shared.db.models.todos import TodoStatus
from shared.db.repositories.versions import Content
from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel
from shared.domain.recipient import ActivityName, Outcome
from shared.providers.html_mail import as_text
from shared.templating.variables import facts_of, values_of

DUE_DAYS = 1
# Without it nobody could do the step either.
_NEEDED = {
    Channel.EMAIL: ("email", "The lead has no e-mail address"),
    Channel.LINKEDIN_CONNECTION: ("linkedin_url", "The lead has no LinkedIn profile"),
    Channel.LINKEDIN_MESSAGE: ("linkedin_url", "The lead has no LinkedIn profile"),
    Channel.CALL: ("phone", "The lead has no phone number"),
}
_TITLES = {
    Channel.EMAIL: "Write a mail to {name}",
    Channel.LINKEDIN_CONNECTION: "Invite {name} on LinkedIn",
    Channel.LINKEDIN_MESSAGE: "Write to {name} on LinkedIn",
    Channel.CALL: "Call {name}",
    Channel.TASK: "Step {number} for {name}",
}
# Under the lock: whoever ends the recipient has either cancelled it, or finds it here. The member
# that the step names may have left; then it is for whoever owns the mailbox, or comes first.
_OPEN = text("""
insert into todos (recipient_id, campaign_id, action_id, round, step_id, lead_id, channel, title,
  text, due_at, assignee_id)
select r.id, r.campaign_id, :action_id, :round, :step_id, r.lead_id, :channel, :title, :text,
  :due_at, (select m.user_id from memberships m where m.user_id = any (:assignees)
            order by array_position(cast(:assignees as uuid[]), m.user_id) limit 1)
from recipients r where r.id = :recipient_id and r.ended_at is null for update of r
on conflict (company_id, action_id, round) do nothing
""")
_FIND = text("select id, status from todos where action_id = :action_id and round = :round")
_CANCEL = text("""
update todos set status = 'cancelled', reason = 'the campaign was changed',
  settled_at = clock_timestamp()
where action_id = :action_id and round = :round and status = 'open'
""")


class TaskActivities:
    def __init__(self, *, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=ActivityName.TASK_OPEN)
    async def open(self, order: ActionOrder) -> Outcome:
        """Open the to-do of one step, once, however often this is retried."""
        return await self._ledger.act_once(order, self._open)

    @activity.defn(name="task.settle")
    async def settle(self, order: ActionOrder) -> bool:
        """Give up a to-do that was begun and that nobody wants any more. True: it was."""
        begun = await self._ledger.find_begun(order)
        if begun is None or begun.is_wanted or begun.action.status is ActionStatus.PLACED:
            return False
        await self._ledger.record(order, begun, await self._give_up(begun))
        return True

    async def _open(self, reserved: Reserved) -> Placed | Skipped | Abandoned:
        if not reserved.is_wanted:
            return await self._give_up(reserved)
        situation, action = reserved.situation, reserved.action
        version = situation.versions[situation.rest.version_id]
        step = next(step for step in version.steps if step.id == action.step_id)
        if reason := _obstacle(step.channel, situation.rest.lead):
            return Skipped(reason=reason, outcomes={StepOutcome.SKIPPED: now()})
        content = version.contents[step.id]
        values = _words(reserved, step.channel, content) | {
            "recipient_id": situation.recipient.id,
            "action_id": action.id,
            "round": action.round,
            "step_id": step.id,
            "channel": step.channel,
            "due_at": now() + _time_for(content),
            "assignees": _assignees(content, situation.rest.account_user_id),
        }
        async with self._ledger.database.company_transaction(
            situation.recipient.company_id
        ) as connection:
            await connection.execute(_OPEN, values)
            # A statement of its own: an earlier attempt may have opened it.
            row = (await connection.execute(_FIND, values)).one_or_none()
        if row is None or row.status == TodoStatus.CANCELLED:
            return Abandoned()
        return Placed(provider_id=str(row.id), check_at=None)

    async def _give_up(self, reserved: Reserved) -> Abandoned:
        """An edit has led past the step before its to-do was known to be there."""
        action, company_id = reserved.action, reserved.situation.recipient.company_id
        async with self._ledger.database.company_transaction(company_id) as connection:
            await connection.execute(_CANCEL, {"action_id": action.id, "round": action.round})
        return Abandoned()


def _obstacle(channel: Channel, lead: dict[str, Any]) -> str | None:
    field, reason = _NEEDED.get(channel, (None, None))
    return reason if field and not lead.get(field) else None


def _words(reserved: Reserved, channel: Channel, content: Content) -> dict[str, str | None]:
    """Title, and what to copy. Raises MissingVariable when the lead lacks what they ask for."""
    values = values_of(facts_of(reserved.situation.rest))
    body = read_template(content.message_template, field="message_template")
    filled = fill_in(body, values)
    lead = values["lead"]
    title = _TITLES[channel].format(
        name=lead["name"] or lead.get("email") or "the lead", number=reserved.step_position
    )
    if content.subject:
        title = fill_in(read_template(content.subject, field="subject", is_line=True), values)
    return {"title": title, "text": (as_text(filled) if body.is_html else filled) or None}


def _time_for(content: Content) -> timedelta:
    days = content.options.get("due_days")
    return timedelta(days=DUE_DAYS if days is None else days)


def _assignees(content: Content, owner: UUID | None) -> list[UUID]:
    """Whose it is, in this order, as far as they are members still."""
    named = content.options.get("assignee_id")
    return [*([UUID(named)] if named else []), *([owner] if owner else [])]
