"""What Temporal would do with a waking: tell one page after the other."""

from temporalio.testing import ActivityEnvironment

from activities.waking import WakingActivities
from shared.db.session import Database
from tests.fakes.conductor import RecordingConductor


async def tell_everybody(database: Database, conductor: RecordingConductor) -> None:
    """Everybody whom the wakings name that were asked for by now."""
    activities = WakingActivities(database=database, conductor=conductor)
    orders, conductor.wakings = conductor.wakings, []
    for order in orders:
        while not (await ActivityEnvironment().run(activities.tell_page, order)).is_last:
            pass
