"""What a benchmark answers."""

from dataclasses import asdict, dataclass, field
from typing import Any

from shared.errors import DrumbeatError


class WentWrong(DrumbeatError):
    """The run did not do what it was measured for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult:
    """Both figures come from one run on the same servers. `ratio`: ours by the baseline."""

    name: str
    ours: float
    baseline: float
    unit: str
    seconds: float
    more: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        return self.ours / self.baseline

    def to_json(self) -> dict[str, Any]:
        fields = asdict(self) | {"ratio": self.ratio}
        more = fields.pop("more")
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in (fields | more).items()
        }

    def to_text(self) -> str:
        more = "".join(
            f"\n  {name.replace('_', ' ')}: {value:.3g}" for name, value in self.more.items()
        )
        return (
            f"{self.name}: {self.ours:.1f} {self.unit} against {self.baseline:.1f}"
            f" = {self.ratio:.2f} of the baseline, in {self.seconds:.0f} s{more}"
        )
