"""A whole campaign played forward over weeks in seconds. Pure: the same scene, the same story."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime

from shared.domain.rehearsal_diary import Diary
from shared.domain.rehearsal_launcher import Launcher
from shared.domain.rehearsal_life import Life
from shared.domain.rehearsal_log import Log
from shared.domain.rehearsal_scene import LONGEST, Scene
from shared.domain.rehearsal_world import World

# So many events at once; between them somebody else may have the processor.
SLICE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What became of everybody. `lives` in the order of ids, which `Entry.place` counts."""

    scene: Scene
    lives: tuple[Life, ...]
    desks: tuple[Diary, ...]
    log: Log


def rehearse(scene: Scene) -> Story:
    """Play the campaign until nobody is left, or for three years."""
    playing = play(scene)
    while True:
        try:
            next(playing)
        except StopIteration as end:
            story: Story = end.value
            return story


def play(scene: Scene) -> Generator[int, None, Story]:
    """The same in slices, each with how many have ended; the story is its value."""
    world = World(scene)
    launcher = Launcher(world)
    end = scene.begins_at + LONGEST
    count = 0
    while (at := _earliest(world.next_at(), launcher.next_at)) is not None and at <= end:
        # Whoever is started at an instant comes before what happens then.
        if at == launcher.next_at:
            launcher.launch(at)
        else:
            world.play_one()
        if world.freed_at is not None:
            launcher.hurry(world.freed_at)
            world.freed_at = None
        count += 1
        if count % SLICE == 0:
            yield sum(1 for life in world.lives if life.ended)
    return Story(scene=scene, lives=tuple(world.lives), desks=tuple(world.desks), log=world.log)


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((at for at in instants if at is not None), default=None)
