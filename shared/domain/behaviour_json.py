"""How people behave in a rehearsal, as it is stored until somebody plays it."""

from dataclasses import asdict
from typing import Any

from shared.domain.branches import StepOutcome
from shared.domain.inbound import InboundKind
from shared.domain.rehearsal_people import Behaviour, Happening, Rates, Span


def behaviour_to_json(behaviour: Behaviour) -> dict[str, Any]:
    return asdict(behaviour)


def behaviour_from_json(stored: dict[str, Any]) -> Behaviour:
    spans = ("reply_after", "away_for", "accept_after", "call_takes", "todo_takes")
    return Behaviour(
        rates=Rates(**stored["rates"]),
        steps={int(number): Rates(**rates) for number, rates in stored["steps"].items()},
        happenings=tuple(_to_happening(one) for one in stored["happenings"]),
        **{name: Span(**stored[name]) for name in spans},
    )


def _to_happening(stored: dict[str, Any]) -> Happening:
    kind, outcome = stored.pop("kind"), stored.pop("outcome")
    return Happening(
        kind=InboundKind(kind) if kind else None,
        outcome=StepOutcome(outcome) if outcome else None,
        **stored,
    )
