"""The variables of templates: what there is, and what each one is for a lead."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.templating.bounds import has_value
from shared.templating.needs import GROUPS, Need

# A lead's own fields go by these prefixes, or as one object, into the property.
_PROPERTY = "property"

VARIABLES: dict[str, tuple[str, ...]] = {
    "lead": (
        *("name", "email", "phone", "first_name", "last_name", "title", "role", "seniority"),
        *("company_name", "company_website", "industry", "linkedin_url", "city", "region"),
        *("country", "time_zone", "language", "fit_score", "budget_min", "budget_max", "beds"),
        *("areas", "status", "location_moves", "job_changes", "source", "consent", "custom"),
    ),
    "company": (
        *("name", "website", "industry", "address", "postal_address", "time_zone"),
        *("brand_primary_color", "brand_tone"),
    ),
    "product": ("name", "description"),
    "property": ("title", "price_amount", "city", "area", "beds", "baths"),
    "campaign": ("name", "type", "created_at", "unsubscribe_url"),
    "sender": ("name", "email", "signature"),
}
# Of these a lead may bring fields that nobody has listed.
OPEN_ENDED = ("lead.custom.", "property.")
assert tuple(VARIABLES) == GROUPS  # noqa: S101 - both are written by hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a mail may speak of, as the rows have it. `product` None: the campaign has none."""

    lead: Mapping[str, Any]
    company: Mapping[str, Any]
    product: Mapping[str, Any] | None
    campaign_name: str
    campaign_type: str
    campaign_created_at: datetime
    sender_email: str | None
    sender_name: str | None
    signature: str | None


def facts_of(row: Any) -> Facts:
    """Of a row that names its columns as `repositories/situations.py` does."""
    return Facts(
        lead=row.lead,
        company=row.company,
        product=row.product,
        campaign_name=row.campaign_name,
        campaign_type=row.campaign_type,
        campaign_created_at=row.campaign_created_at,
        sender_email=row.account_email,
        sender_name=row.account_name,
        signature=row.account_signature,
    )


def is_known(variable: str) -> bool:
    group, _, field = variable.partition(".")
    is_listed = field.split(".")[0] in VARIABLES.get(group, ())
    return is_listed or variable.startswith(OPEN_ENDED)


def values_of(facts: Facts, *, unsubscribe_url: str | None = None) -> dict[str, Mapping[str, Any]]:
    """Every variable of one lead, by group. What is None, empty or left out has no value."""
    lead = dict(facts.lead)
    lead["name"] = lead.get("name") or " ".join(
        filter(None, (lead.get("first_name"), lead.get("last_name")))
    )
    for hidden in ("suppression_keys", "company_id"):
        lead.pop(hidden, None)
    return {
        "lead": lead,
        "company": {**(facts.company.get("settings") or {}), **facts.company},
        "product": facts.product or {},
        "property": property_of(lead.get("custom") or {}),
        "campaign": {
            "name": facts.campaign_name,
            "type": facts.campaign_type,
            "created_at": facts.campaign_created_at.date().isoformat(),
            "unsubscribe_url": unsubscribe_url,
        },
        "sender": {
            "name": facts.sender_name or facts.sender_email,
            "email": facts.sender_email,
            "signature": facts.signature,
        },
    }


def property_of(custom: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was kept with the lead as `property`, or in fields that begin with `property_`."""
    own = custom.get(_PROPERTY)
    if isinstance(own, Mapping):
        return own
    prefix = f"{_PROPERTY}_"
    return {
        name.removeprefix(prefix): value
        for name, value in custom.items()
        if name.startswith(prefix)
    }


def value_of(variable: str, values: Mapping[str, Mapping[str, Any]]) -> Any:
    """None when there is none."""
    found: Any = values
    for part in variable.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if has_value(found) else None


def missing(needs: Iterable[Need], values: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The variables that are needed here and have no value."""

    def is_there(variable: str) -> bool:
        return value_of(variable, values) is not None

    found = (
        need.variable
        for need in needs
        if not is_there(need.variable)
        and all(is_there(variable) is wanted for variable, wanted in need.when)
    )
    return list(dict.fromkeys(found))
