"""Starts the pending recipients of a campaign."""

from temporalio import activity

from shared.conductor import Conductor
from shared.contracts.operations import LaunchOrder, LaunchPage
from shared.db.repositories.versions import VersionShelf
from shared.db.session import Database
from shared.launching import launch_page

PAGE = 200


class LaunchActivities:
    def __init__(self, *, database: Database, conductor: Conductor, shelf: VersionShelf) -> None:
        self._database = database
        self._conductor = conductor
        self._shelf = shelf

    @activity.defn(name="launch.page")
    async def start_page(self, order: LaunchOrder) -> LaunchPage:
        """Start one page; a page that died half way is found again."""
        return await launch_page(
            self._database,
            self._conductor,
            order.company_id,
            order.campaign_id,
            size=min(PAGE, order.rate),
            shelf=self._shelf,
        )
