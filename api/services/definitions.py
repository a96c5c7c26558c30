"""A campaign's steps as a tree, and the whole campaign as a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import Caller
from api.campaign_files import NotACampaign, read_campaign, write_campaign
from api.conducting import Conducting
from api.file_changes import setting_changes, step_changes
from api.schemas.definition import AnyNode
from api.services.campaigns import RUNNING, change_campaign, get_campaign, list_steps
from api.services.file_names import file_fields, to_settings
from api.services.linting import find_problems, template_problems
from api.services.pacing import OF_CAMPAIGNS
from api.services.sequences import open_campaign, publish_steps
from api.services.step_rows import tree_of, write_tree
from api.services.version_diffs import diff_steps
from api.services.versions import must_match_tag, tag_of
from api.trees import to_nodes, tree_fields
from shared.db.models import CampaignRow
from shared.db.repositories.versions import draft_of
from shared.db.repositories.wakings import ask_waking
from shared.db.session import Database
from shared.domain.definition import Node
from shared.domain.linting import Problem
from shared.errors import Conflict, Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """`steps`: the bodies of the tree. `tag`: its ETag."""

    campaign_id: UUID
    steps: list[dict[str, Any]]
    problems: Sequence[Problem]
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a file changed, or would change, in words; nothing when it says what is there."""

    campaign_id: UUID
    changes: Sequence[str]
    problems: Sequence[Problem]
    tag: str


class DefinitionService:
    def __init__(self, *, database: Database, conducting: Conducting, schema_url: str) -> None:
        self._database = database
        self._conducting = conducting
        self._schema_url = schema_url

    async def get(self, caller: Caller, campaign_id: UUID) -> Definition:
        async with self._database.company_session(caller.company_id) as session:
            return await _definition(session, await get_campaign(session, campaign_id))

    async def change(
        self, caller: Caller, campaign_id: UUID, bodies: Sequence[AnyNode], *, expected: str | None
    ) -> Definition:
        """The tree as a whole; steps keep their ids by their keys. Publishes as steps do."""
        async with self._database.company_session(caller.company_id) as session:
            campaign = await open_campaign(session, campaign_id)
            rows = await list_steps(session, campaign_id)
            must_match_tag(tag_of(tree_fields(tree_of(rows))), expected)
            known = {row.name: row.id for row in rows}
            nodes = to_nodes(bodies, campaign_id=campaign_id, known=known)
            _must_have_templates(nodes)
            _must_stay(campaign, nodes)
            await write_tree(session, campaign_id, nodes)
            waking = await publish_steps(session, campaign, caller)
            definition = await _definition(session, campaign)
        await self._conducting.wake_many(waking)
        return definition

    async def export(self, caller: Caller, campaign_id: UUID) -> tuple[str, str]:
        """The file, and its ETag."""
        async with self._database.company_session(caller.company_id) as session:
            fields = await file_fields(session, await get_campaign(session, campaign_id))
        return write_campaign(fields, schema_url=self._schema_url), tag_of(fields)

    async def apply(
        self,
        caller: Caller,
        campaign_id: UUID,
        text: str,
        *,
        expected: str | None = None,
        is_dry: bool = False,
    ) -> Applied:
        """Make the campaign what the file says. Dry: only say what that would change.

        Raises NotACampaign; Conflict for a campaign that is completed, or that runs and could not
        go on like this.
        """
        read = read_campaign(text)
        waking = None
        async with self._database.company_session(caller.company_id) as session:
            campaign = await open_campaign(session, campaign_id)
            before = await file_fields(session, campaign)
            must_match_tag(tag_of(before), expected)
            known = {row.name: row.id for row in await list_steps(session, campaign_id)}
            nodes = read.nodes_in(campaign_id, known)
            if problems := template_problems(nodes):
                raise NotACampaign(tuple(map(read.locate, problems)))
            _must_stay(campaign, nodes)
            try:
                settings = await to_settings(session, campaign, read.body)
            except Invalid as error:
                raise read.refusal(error) from None
            steps = await draft_of(session, campaign_id)
            savepoint = await session.begin_nested()
            await change_campaign(session, campaign, settings)
            await write_tree(session, campaign_id, nodes)
            after = await file_fields(session, campaign)
            changed = setting_changes(before, after)
            edits = step_changes(diff_steps(steps, await draft_of(session, campaign_id)))
            found = await find_problems(session, campaign, await list_steps(session, campaign_id))
            if edits:
                waking = await publish_steps(session, campaign, caller)
            if OF_CAMPAIGNS & changed_names(before, after) and campaign.status in RUNNING:
                waking = await ask_waking(session, campaign_id=campaign_id, waiting=True)
            if is_dry or not (changed or edits):
                await savepoint.rollback()
                waking = None
        await self._conducting.wake_many(waking)
        return Applied(
            campaign_id=campaign_id, changes=[*changed, *edits], problems=found, tag=tag_of(after)
        )


async def _definition(session: AsyncSession, campaign: CampaignRow) -> Definition:
    rows = await list_steps(session, campaign.id)
    steps = tree_fields(tree_of(rows))
    problems = await find_problems(session, campaign, rows)
    return Definition(campaign_id=campaign.id, steps=steps, problems=problems, tag=tag_of(steps))


def _must_have_templates(nodes: Sequence[Node]) -> None:
    """Raises Invalid for the first one that cannot be read."""
    for problem in template_problems(nodes):
        raise Invalid(problem.text, field=".".join(map(str, problem.place)))


def _must_stay(campaign: CampaignRow, nodes: Sequence[Node]) -> None:
    if campaign.version_id and not nodes and not campaign.draft_edits:
        raise Conflict("The campaign runs: it needs a step. Complete it, if nothing is to be done")


def changed_names(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    names = before.keys() | after.keys()
    return {name for name in names if before.get(name) != after.get(name)}
