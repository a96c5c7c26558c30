"""The scene of a rehearsal from a campaign's file, and from leads of another file or made up."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid5

from api.campaign_files import ReadCampaign
from shared.db.callees import calling_hours
from shared.db.repositories.places import calendar_of, window_of
from shared.db.repositories.scenes import denied_in
from shared.domain.channels import KINDS_OF, AccountKind, Channel
from shared.domain.definition import all_steps
from shared.domain.pacing import (
    COLD_MAILS_A_DAY,
    INVITATIONS_A_DAY,
    INVITATIONS_A_WEEK,
    limits_of,
    linkedin_limits,
)
from shared.domain.recipient import ActivityName
from shared.domain.rehearsal_diary import Sender
from shared.domain.rehearsal_people import Behaviour
from shared.domain.rehearsal_scene import Person, Scene
from shared.errors import Misconfigured
from shared.importing.headers import propose
from shared.templating.gaps import gaps_of, lead_needs
from shared.templating.needs import Need

# A file is in no database: ids are made of names, and so always the same.
_NOWHERE = UUID("5a9e1c5e-1f0e-5d0b-8f5c-70d41b6c2a77")


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What an installation would bring along. `daily_limit`: of each mailbox; None: no limit.

    `mailboxes`: how many, if the file names none. `zone`: of leads whose own is not known.
    """

    daily_limit: int | None = COLD_MAILS_A_DAY
    min_gap_seconds: int | None = None
    mailboxes: int = 1
    zone: str | None = None


ONE_MAILBOX = Means()


def make_leads(number: int) -> list[dict[str, Any]]:
    """Leads that can be reached in every channel, and have agreed to it."""
    return [
        {
            "name": f"lead-{place}",
            "email": f"lead-{place}@example.com",
            "phone": "+12025550123",
            "linkedin_url": f"https://www.linkedin.com/in/lead-{place}",
            "country": "US",
            "consent": "calls: yes",
        }
        for place in range(1, number + 1)
    ]


def read_leads(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV file by the names of our fields; other columns are left out."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        fields = propose(reader.fieldnames or [])
        if "email" not in fields.values() and "phone" not in fields.values():
            raise Misconfigured(f"{path} has neither a column for e-mail addresses nor for phones")
        return [
            {field: row[header] or None for header, field in fields.items() if header in row}
            for row in reader
        ]


def make_scene(
    campaign: ReadCampaign,
    leads: Sequence[Mapping[str, Any]],
    *,
    behaviour: Behaviour,
    means: Means,
    begins_at: datetime,
    seed: int,
) -> Scene:
    body = campaign.body
    limits = body.limits
    texts = {it.id: (it.subject or "", it.message_template) for it in all_steps(campaign.nodes)}
    needs = lead_needs(texts)
    return Scene(
        campaign_id=_NOWHERE,
        steps=campaign.steps,
        people=tuple(
            _make_person(campaign, lead, place, means=means, begins_at=begins_at, needs=needs)
            for place, lead in enumerate(leads, start=1)
        ),
        senders=tuple(_make_senders(campaign, means, begins_at)),
        begins_at=begins_at,
        start_at=body.start_at,
        new_leads_per_day=limits.new_leads_per_day if limits else None,
        is_weighted=limits is not None and limits.rotation == "weighted",
        behaviour=behaviour,
        seed=seed,
    )


def _make_person(
    campaign: ReadCampaign,
    lead: Mapping[str, Any],
    place: int,
    *,
    means: Means,
    begins_at: datetime,
    needs: Mapping[UUID, tuple[Need, ...]],
) -> Person:
    fields = {**dict.fromkeys(("phone", "time_zone", "country", "region")), **lead}
    window = campaign.body.window
    row: Any = SimpleNamespace(
        sending_window=window.model_dump_json() if window else None,
        own_zone=campaign.body.time_zone or means.zone,
        lead_zone=fields["time_zone"],
        lead_country=fields["country"],
    )
    hours = window_of(row, begins_at)
    name = str(fields.get("email") or fields.get("name") or f"lead-{place}")
    return Person(
        # In the order of the file, which is the order in which they are started.
        id=UUID(int=(place << 64) + uuid5(_NOWHERE, name).int % 2**64),
        name=name,
        calendar=calendar_of(row, begins_at),
        window=hours,
        calling=calling_hours(fields, begins_at, beside=hours) if fields["phone"] else None,
        lead=fields,
        denied=denied_in(fields, begins_at, hours),
        gaps=gaps_of(needs, fields),
    )


def _make_senders(campaign: ReadCampaign, means: Means, begins_at: datetime) -> list[Sender]:
    """The accounts that the file names are mailboxes; of each other channel there is one."""
    names = campaign.body.accounts or [f"mailbox {n}" for n in range(1, means.mailboxes + 1)]
    more = {"min_gap_seconds": means.min_gap_seconds}
    limits = limits_of(means.daily_limit, more, begun_at=begins_at, kind=AccountKind.GMAIL)
    weight = means.daily_limit or COLD_MAILS_A_DAY
    senders = [
        Sender(
            id=uuid5(_NOWHERE, name),
            name=name,
            kind=AccountKind.GMAIL,
            limits=limits,
            weight=weight,
        )
        for name in names
    ]
    channels = {step.channel for step in campaign.steps}
    by_activity = linkedin_limits(
        INVITATIONS_A_DAY, {"per_week": INVITATIONS_A_WEEK}, begun_at=begins_at
    )
    apart = {
        Channel.LINKEDIN_CONNECTION: by_activity[ActivityName.LINKEDIN_INVITE],
        Channel.LINKEDIN_MESSAGE: by_activity[ActivityName.LINKEDIN_MESSAGE],
    }
    for kind, limits_by in ((AccountKind.LINKEDIN, apart), (AccountKind.BLAND, {})):
        if any(kind in KINDS_OF[channel] for channel in channels):
            id_ = uuid5(_NOWHERE, str(kind))
            senders.append(Sender(id=id_, name=str(kind), kind=kind, limits_by=limits_by))
    return senders
