"""A rehearsal's report as lines that people read."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

# Lines of the schedule that fit a screen; `--whole` prints them all.
FIRST_LINES = 25


def as_text(report: dict[str, Any], *, is_whole: bool = False) -> str:
    return "\n".join(_lines(report, is_whole))


def _lines(report: dict[str, Any], is_whole: bool) -> Iterator[str]:
    yield (
        f"{report['people']} leads, {report['actions']} actions, from {report['begins_at']}"
        f" to {report['ends_at'] or 'nowhere'} (seed {report['seed']})"
    )
    ends = ", ".join(f"{number} {name}" for name, number in report["outcomes"].items())
    yield f"In the end: {ends}"
    if report["problems"]:
        yield "\nProblems"
        yield from (f"  {problem}" for problem in report["problems"])
    yield "\nAccounts"
    for account in report["accounts"]:
        days = account["days"]
        most = f", {max(days.values())} on the busiest of {len(days)} days" if days else ""
        yield f"  {account['account']}: {account['actions']} actions{most}"
    yield from _delays(report)
    yield "\nSchedule"
    schedule = report["schedule"]
    for line in schedule if is_whole else schedule[:FIRST_LINES]:
        step = f" step {line['step']}, {line['channel']}" if "step" in line else ""
        through = f" by {line['account']}" if "account" in line else ""
        until = f" until {line['until']}" if "until" in line else ""
        yield f"  {line['local']}  {line['lead']}: {line['what']}{until}{step}{through}"
    if not is_whole and len(schedule) > FIRST_LINES:
        yield f"  ... and {len(schedule) - FIRST_LINES} more: --whole prints them"


def _delays(report: dict[str, Any]) -> Iterator[str]:
    if report["limits"] or report["closed"] or report["clock_changes"]:
        yield "\nWhat moved steps"
    for limit in report["limits"]:
        yield f"  {limit['account']}, {limit['limit']}: {_times(limit)}"
    for closed in report["closed"]:
        yield f"  {closed['why']}: {_times(closed)}"
    for change in report["clock_changes"]:
        by = timedelta(seconds=abs(change["by_seconds"]))
        way = "forward" if change["by_seconds"] > 0 else "back"
        yield (
            f"  {change['zone']}: clocks go {way} by {by} at {change['at']},"
            f" {change['people']} leads in the middle of it"
        )


def _times(delays: dict[str, Any]) -> str:
    longest, average = (
        timedelta(seconds=delays[name]) for name in ("longest_seconds", "average_seconds")
    )
    return f"{delays['times']} times, by {average} on average and {longest} at the most"
