"""The tables. Importing this package knows them all; every one but four belongs to a company."""

from shared.db.models.access import AuditRow, IdempotencyKeyRow
from shared.db.models.accounts import AccountRow, AccountTokenRow, MailLoginRow, OAuthStateRow
from shared.db.models.campaigns import CampaignRow, StepRow, VersionRow
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
from shared.db.models.products import DocumentKind, ProductRow
from shared.db.models.recipients import ActionRow, ActionStatus, InboundEventRow, RecipientRow
from shared.db.models.segments import SegmentRow
from shared.db.models.templates import SampleMailRow, SampleStatus, TemplateRow
from shared.db.models.tracking import TrackingEventRow
from shared.db.models.webhooks import DeliveryStatus, WebhookDeliveryRow, WebhookRow

__all__ = [
    "AccountRow",
    "AccountTokenRow",
    "ActionRow",
    "ActionStatus",
    "ApiKeyRow",
    "AuditRow",
    "CampaignCounterRow",
    "CampaignRow",
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
    "MailLoginRow",
    "MembershipRow",
    "OAuthStateRow",
    "ProductRow",
    "RecipientRow",
    "RefusedRowRow",
    "Role",
    "SampleMailRow",
    "SampleStatus",
    "SegmentRow",
    "SessionRow",
    "StepCounterRow",
    "StepRow",
    "SuppressionRow",
    "TemplateRow",
    "TrackingEventRow",
    "UserRow",
    "VersionRow",
    "WebhookDeliveryRow",
    "WebhookRow",
]
