"""What people read of a rehearsal: the dated schedule, and what is wrong with it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.domain.calendar import clock_changes
from shared.domain.recipient import EndReason, HoldReason
from shared.domain.rehearsal import Story
from shared.domain.rehearsal_diary import Sender
from shared.domain.rehearsal_life import Life
from shared.domain.rehearsal_scene import Delays, Entry

# What an account does; everything else in the schedule comes back, or is done by hand.
ACTIONS = frozenset({"sent", "called"})
_YEARS = "three years are over before its turn comes"


def report_of(story: Story) -> dict[str, Any]:
    """The whole report as JSON has it; the same story gives the same bytes."""
    log, lives = story.log, story.lives
    names = {sender.id: sender.name for sender in story.scene.senders}
    ends = Counter(life.ended.value if life.ended else "open" for life in lives)
    acts = [entry for entry in log.entries if entry.what in ACTIONS]
    report: dict[str, Any] = {
        "seed": story.scene.seed,
        "begins_at": _instant(story.scene.begins_at),
        "ends_at": _instant(log.entries[-1].at) if log.entries else None,
        "people": len(lives),
        "actions": len(acts),
        "outcomes": dict(sorted(ends.items())),
        "problems": list(problems_of(story)),
        "accounts": [_sender(sender, acts) for sender in story.scene.senders],
        "limits": [
            {"account": desk.sender.name, "limit": words, **_delays(delays)}
            for (desk, words), delays in log.collisions.items()
        ],
        "closed": [{"why": why.value, **_delays(delays)} for why, delays in log.closures.items()],
        "clock_changes": list(_clock_changes(story, acts)),
        "never_reached": [
            {"lead": life.person.name, "why": why_unreached(life)}
            for life in lives
            if not life.is_reached
        ],
        "unfinished": [
            {"lead": life.person.name, "why": _why_open(life)}
            for life in lives
            if life.ended is None and life.is_reached
        ],
        "schedule": [_line(story, entry, names) for entry in log.entries],
    }
    return report


def problems_of(story: Story) -> Iterator[str]:
    """What somebody should look at before the campaign is activated, worst first."""
    whys = Counter(why_unreached(life) for life in story.lives if not life.is_reached)
    for why, number in whys.most_common():
        yield f"{number} of {len(story.lives)} leads are never reached: {why}"
    waiting = Counter(
        _why_open(life) for life in story.lives if life.ended is None and life.is_reached
    )
    for why, number in waiting.most_common():
        yield f"{number} of {len(story.lives)} leads do not come to the end: {why}"
    for desk in story.desks:
        if desk.trouble:
            yield f"{desk.sender.name} is paused on the way: {desk.trouble}"
    for (desk, words), delays in story.log.collisions.items():
        if delays.longest >= timedelta(days=1):
            yield (
                f"{desk.sender.name}: {words} moved {delays.times} steps,"
                f" one of them by {_span(delays.longest)}"
            )


def why_unreached(life: Life) -> str:
    if life.person.flaw:
        return life.person.flaw
    if life.ended is EndReason.COMPLETED:
        channels = dict.fromkeys(step.channel for step in life.steps)
        denied = [why for channel in channels if (why := life.person.denied.get(channel))]
        return "; ".join(dict.fromkeys(denied)) or "no step is left whose conditions it meets"
    if life.ended is not None:
        return f"it has {life.ended} before the first step"
    if life.started_at is None or (life.plan is None and life.parked is None):
        return f"no account has room for it: {_YEARS}"
    return _why_open(life)


def _why_open(life: Life) -> str:
    if life.parked is None:
        return _YEARS
    if life.parked is HoldReason.CONTENT:
        return f"{life.parked}: {', '.join(dict.fromkeys(life.person.gaps.values()))}"
    desk = life.mailbox
    return f"{life.parked}: {desk.trouble}" if desk and desk.trouble else str(life.parked)


def _sender(sender: Sender, acts: Sequence[Entry]) -> dict[str, Any]:
    """How much an account does on which day, in UTC."""
    days = Counter(f"{act.at:%Y-%m-%d}" for act in acts if act.sender_id == sender.id)
    return {"account": sender.name, "actions": days.total(), "days": dict(sorted(days.items()))}


def _clock_changes(story: Story, acts: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    """Where clocks are moved while people wait for a step, and for how many."""
    if not acts:
        return
    first: dict[int, datetime] = {}
    last: dict[int, datetime] = {}
    for act in acts:
        first.setdefault(act.place, act.at)
        last[act.place] = act.at
    zones: dict[str, ZoneInfo] = {}
    for life in story.lives:
        zones.setdefault(life.person.calendar.zone.key, life.person.calendar.zone)
    for name, zone in sorted(zones.items()):
        for at, by in clock_changes(zone, story.scene.begins_at, acts[-1].at):
            crossing = sum(
                1
                for life in story.lives
                if life.person.calendar.zone is zone
                and life.place in first
                and first[life.place] < at <= last[life.place]
            )
            seconds = int(by.total_seconds())
            yield {"zone": name, "at": _instant(at), "by_seconds": seconds, "people": crossing}


def _line(story: Story, entry: Entry, names: Mapping[UUID, str]) -> dict[str, Any]:
    person = story.lives[entry.place].person
    line: dict[str, Any] = {
        "at": _instant(entry.at),
        "local": f"{entry.at.astimezone(person.calendar.zone):%a %Y-%m-%d %H:%M:%S%z}",
        "lead": person.name,
        "what": entry.what,
    }
    if entry.step is not None:
        line |= {"step": entry.step, "channel": str(entry.channel)}
    if entry.sender_id is not None:
        line["account"] = names[entry.sender_id]
    if entry.until is not None:
        line["until"] = _instant(entry.until)
    return line


def _delays(delays: Delays) -> Mapping[str, Any]:
    return {
        "times": delays.times,
        "first_at": _instant(delays.first_at),
        "longest_seconds": int(delays.longest.total_seconds()),
        "average_seconds": int(delays.total.total_seconds()) // delays.times,
    }


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _span(time: timedelta) -> str:
    return f"{time.days} days" if time >= timedelta(days=2) else str(time)
