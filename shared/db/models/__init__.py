"""The tables. Importing this package knows them all; every one but three belongs to a company."""

from shared.db.models.accounts import AccountRow, AccountTokenRow, OAuthStateRow
from shared.db.models.campaigns import CampaignRow, StepRow, VersionRow
from shared.db.models.companies import (
    ApiKeyRow,
    CompanyRow,
    MembershipRow,
    Role,
    SessionRow,
    UserRow,
)
from shared.db.models.leads import LeadRow, SuppressionRow
from shared.db.models.recipients import ActionRow, ActionStatus, InboundEventRow, RecipientRow

__all__ = [
    "AccountRow",
    "AccountTokenRow",
    "ActionRow",
    "ActionStatus",
    "ApiKeyRow",
    "CampaignRow",
    "CompanyRow",
    "InboundEventRow",
    "LeadRow",
    "MembershipRow",
    "OAuthStateRow",
    "RecipientRow",
    "Role",
    "SessionRow",
    "StepRow",
    "SuppressionRow",
    "UserRow",
    "VersionRow",
]
