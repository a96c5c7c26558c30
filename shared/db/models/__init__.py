"""The tables. Importing this package knows them all; every one but four belongs to a company."""

from shared.db.models.access import AuditRow, IdempotencyKeyRow
from shared.db.models.accounts import AccountRow, AccountTokenRow, MailLoginRow, OAuthStateRow
from shared.db.models.appointments import (
    AppointmentRow,
    AppointmentStatus,
    CalendarProvider,
    CalendarRow,
    CalendarTokenRow,
)
from shared.db.models.calls import BlandLoginRow, CallRow
from shared.db.models.campaigns import CampaignRow, CampaignStartRow, StepRow, VersionRow
from shared.db.models.companies import (
    ApiKeyRow,
    CompanyRow,
    MembershipRow,
    Role,
    SessionRow,
    UserRow,
)
from shared.db.models.events import CampaignCounterRow, EventRow, StepCounterRow
from shared.db.models.jobs import JobKind, JobRow, JobStatus, RefusedRowRow
from shared.db.models.leads import LeadRow, SuppressionRow
from shared.db.models.linkedin import LinkedInAccountRow
from shared.db.models.products import DocumentKind, ProductRow
from shared.db.models.recipients import ActionRow, ActionStatus, InboundEventRow, RecipientRow
from shared.db.models.rehearsals import RehearsalRow
from shared.db.models.segments import SegmentRow
from shared.db.models.templates import SampleMailRow, SampleStatus, TemplateRow
from shared.db.models.todos import TodoRow, TodoStatus
from shared.db.models.tracking import TrackingEventRow
from shared.db.models.wakings import WakingRow
from shared.db.models.webhooks import DeliveryStatus, WebhookDeliveryRow, WebhookRow

__all__ = [
    "AccountRow",
    "AccountTokenRow",
    "ActionRow",
    "ActionStatus",
    "ApiKeyRow",
    "AppointmentRow",
    "AppointmentStatus",
    "AuditRow",
    "BlandLoginRow",
    "CalendarProvider",
    "CalendarRow",
    "CalendarTokenRow",
    "CallRow",
    "CampaignCounterRow",
    "CampaignRow",
    "CampaignStartRow",
    "CompanyRow",
    "DeliveryStatus",
    "DocumentKind",
    "EventRow",
    "IdempotencyKeyRow",
    "InboundEventRow",
    "JobKind",
    "JobRow",
    "JobStatus",
    "LeadRow",
    "LinkedInAccountRow",
    "MailLoginRow",
    "MembershipRow",
    "OAuthStateRow",
    "ProductRow",
    "RecipientRow",
    "RefusedRowRow",
    "RehearsalRow",
    "Role",
    "SampleMailRow",
    "SampleStatus",
    "SegmentRow",
    "SessionRow",
    "StepCounterRow",
    "StepRow",
    "SuppressionRow",
    "TemplateRow",
    "TodoRow",
    "TodoStatus",
    "TrackingEventRow",
    "UserRow",
    "VersionRow",
    "WakingRow",
    "WebhookDeliveryRow",
    "WebhookRow",
]
