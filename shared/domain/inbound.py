"""What can come back, what it does to a recipient, and what a reply can mean."""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.leads import LeadStatus
from shared.domain.recipient import EndReason

# A mailbox that was full so often, in all campaigns together, is nobody's any more.
MOST_SOFT_BOUNCES = 3
# The provider of what a person of the company has said.
PERSON = "person"


class InboundKind(StrEnum):
    REPLY = "reply"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    SOFT_BOUNCE = "soft_bounce"
    BLOCKED = "blocked"
    DELAYED = "delayed"
    UNSUBSCRIBE = "unsubscribe"
    COMPLAINT = "complaint"
    ACCEPTED = "accepted"
    CALL_ENDED = "call_ended"
    MEETING_BOOKED = "meeting_booked"
    DO_NOT_CALL = "do_not_call"


class ReplyClass(StrEnum):
    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    QUESTION = "question"
    LATER = "later"


class ClassSource(StrEnum):
    RULES = "rules"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """`ends`: with which reason the lead's recipients end. `lead_status` None: it stays.

    `suppresses`: nothing may reach this address again, in any campaign.
    """

    ends: EndReason | None = None
    wakes: bool = False
    lead_status: LeadStatus | None = None
    suppresses: bool = False


_NOTHING = Effect()
_WAKES = Effect(wakes=True)
_WORN_OUT = Effect(ends=EndReason.BOUNCED, lead_status=LeadStatus.BOUNCED)
_EFFECTS = {
    InboundKind.REPLY: Effect(ends=EndReason.REPLIED, lead_status=LeadStatus.REPLIED),
    InboundKind.BOUNCE: Effect(
        ends=EndReason.BOUNCED, lead_status=LeadStatus.BOUNCED, suppresses=True
    ),
    InboundKind.UNSUBSCRIBE: Effect(
        ends=EndReason.UNSUBSCRIBED, lead_status=LeadStatus.UNSUBSCRIBED, suppresses=True
    ),
    InboundKind.COMPLAINT: Effect(
        ends=EndReason.COMPLAINT, lead_status=LeadStatus.UNSUBSCRIBED, suppresses=True
    ),
    InboundKind.DO_NOT_CALL: Effect(
        ends=EndReason.SUPPRESSED, lead_status=LeadStatus.UNSUBSCRIBED, suppresses=True
    ),
    InboundKind.MEETING_BOOKED: Effect(ends=EndReason.MEETING),
    InboundKind.AUTO_REPLY: _WAKES,
    InboundKind.ACCEPTED: _WAKES,
    InboundKind.CALL_ENDED: _WAKES,
}
STATUS_OF_CLASS = {
    ReplyClass.INTERESTED: LeadStatus.INTERESTED,
    ReplyClass.NOT_INTERESTED: LeadStatus.NOT_INTERESTED,
    ReplyClass.QUESTION: LeadStatus.REPLIED,
    ReplyClass.LATER: LeadStatus.REPLIED,
}


def effect_of(kind: InboundKind, *, soft_bounces: int = 0) -> Effect:
    """`soft_bounces`: how many this lead has had, this one included."""
    if kind is InboundKind.SOFT_BOUNCE and soft_bounces >= MOST_SOFT_BOUNCES:
        return _WORN_OUT
    return _EFFECTS.get(kind, _NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRules:
    """What a reply stops, as a campaign has it. `colleagues` None: as the company has it."""

    reply: bool = True
    other_campaigns: bool = True
    colleagues: bool | None = None

    def ends(self, other: "StopRules | None" = None) -> bool:
        """Whether a reply here ends the recipient, or the lead's one in a campaign with `other`."""
        if other is None:
            return self.reply
        return self.other_campaigns and other.reply
