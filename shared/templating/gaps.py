"""Which steps cannot be written to a lead, because its fields leave a variable empty."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.templating.compiling import Unreadable, compiled
from shared.templating.needs import Need
from shared.templating.variables import missing, property_of

# The others are the same for everybody, and looked at before a campaign is activated.
_OF_LEADS = ("lead.", "property.")


def lead_needs(texts: Mapping[UUID, tuple[str, ...]]) -> dict[UUID, tuple[Need, ...]]:
    """Of each step the variables of leads in its texts; a template that is wrong has none."""
    found: dict[UUID, tuple[Need, ...]] = {}
    for step_id, templates in texts.items():
        needs: dict[Need, None] = {}
        for template in templates:
            try:
                needs |= dict.fromkeys(compiled(template).needs)
            except Unreadable:
                continue
        if mine := tuple(need for need in needs if need.variable.startswith(_OF_LEADS)):
            found[step_id] = mine
    return found


def gaps_of(needs: Mapping[UUID, tuple[Need, ...]], lead: Mapping[str, Any]) -> dict[UUID, str]:
    """For people: which variables of a step have no value for this lead."""
    if not needs:
        return {}
    names = (lead.get("first_name"), lead.get("last_name"))
    known = {**lead, "name": lead.get("name") or " ".join(filter(None, names))}
    values = {"lead": known, "property": property_of(lead.get("custom") or {})}
    found = {step_id: missing(wanted, values) for step_id, wanted in needs.items()}
    return {step_id: ", ".join(names) for step_id, names in found.items() if names}
