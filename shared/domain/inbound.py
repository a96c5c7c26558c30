"""What can come back, and what it does to a recipient."""

from enum import StrEnum

from shared.domain.recipient import EndReason


class InboundKind(StrEnum):
    REPLY = "reply"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    SOFT_BOUNCE = "soft_bounce"
    UNSUBSCRIBE = "unsubscribe"
    COMPLAINT = "complaint"
    ACCEPTED = "accepted"
    CALL_ENDED = "call_ended"
    MEETING_BOOKED = "meeting_booked"


ENDS = {
    InboundKind.REPLY: EndReason.REPLIED,
    InboundKind.BOUNCE: EndReason.BOUNCED,
    InboundKind.UNSUBSCRIBE: EndReason.UNSUBSCRIBED,
    InboundKind.COMPLAINT: EndReason.COMPLAINT,
    InboundKind.MEETING_BOOKED: EndReason.MEETING,
}
# Nothing may reach this address again, in any campaign.
SUPPRESSES = frozenset({InboundKind.BOUNCE, InboundKind.UNSUBSCRIBE, InboundKind.COMPLAINT})
WAKES = frozenset({InboundKind.AUTO_REPLY, InboundKind.ACCEPTED, InboundKind.CALL_ENDED})
LEAD_STATUS = {
    InboundKind.REPLY: "replied",
    InboundKind.BOUNCE: "bounced",
    InboundKind.UNSUBSCRIBE: "unsubscribed",
    InboundKind.COMPLAINT: "unsubscribed",
}
