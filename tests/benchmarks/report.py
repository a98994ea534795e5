"""What was measured, as a table."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

HEADINGS = ("what", "ours", "theirs", "ratio", "from - to", "target", "reached?")


class Bound(Enum):
    """Which side of a target is the good one."""

    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio is meant to be."""

    bound: Bound
    ratio: float

    def __str__(self) -> str:
        return f"{self.bound.value} {self.ratio}"

    def is_reached_by(self, ratio: float) -> bool:
        return ratio >= self.ratio if self.bound is Bound.AT_LEAST else ratio <= self.ratio


@dataclass(frozen=True, slots=True)
class Row:
    """Two things measured in turn, round by round."""

    name: str
    unit: str
    ours: Sequence[float]
    theirs: Sequence[float]
    target: Target | None = None

    @property
    def ratios(self) -> list[float]:
        """Compare round by round: what disturbs the machine disturbs both sides of a round."""
        return [our / their for our, their in zip(self.ours, self.theirs, strict=True)]

    def cells(self) -> tuple[str, ...]:
        ratio = statistics.median(self.ratios)
        return (
            self.name,
            self._amount(self.ours),
            self._amount(self.theirs),
            f"{ratio:.2f}",
            f"{min(self.ratios):.2f} - {max(self.ratios):.2f}" if len(self.ratios) > 1 else "",
            str(self.target or ""),
            ("yes" if self.target.is_reached_by(ratio) else "NO") if self.target else "",
        )

    def _amount(self, values: Sequence[float]) -> str:
        value = statistics.median(values)
        return f"{value:,.{0 if value >= 100 else 1}f} {self.unit}"


def table(rows: Sequence[Row]) -> str:
    """Lay the rows out in Markdown: medians, and the median of the ratios with its range."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines)
