"""What was measured: rows that say who did what how fast, kept as JSON and shown as Markdown."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from tests.benchmarks.load import Load

HEADINGS = (
    "work",
    "ours",
    "beside",
    "theirs",
    "ratio",
    "from - to",
    "target",
    "reached",
    "processor time",
)


class Bound(StrEnum):
    """Which side of a target is the good one."""

    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio, ours by theirs, is meant to be."""

    bound: Bound
    ratio: float

    def __str__(self) -> str:
        return f"{self.bound.value} {self.ratio:g}"

    def is_reached_by(self, ratio: float) -> bool:
        return ratio >= self.ratio if self.bound is Bound.AT_LEAST else ratio <= self.ratio


def at_least(ratio: float) -> Target:
    """Want more than a part of theirs."""
    return Target(Bound.AT_LEAST, ratio)


def at_most(ratio: float) -> Target:
    """Want less than a multiple of theirs."""
    return Target(Bound.AT_MOST, ratio)


@dataclass(frozen=True, slots=True)
class Side:
    """What one of two did, round by round."""

    values: Sequence[float]
    waits_ms: tuple[float, float] | None = None
    """How long an answer took: the medians of the rounds' p50 and p99."""

    cpu_ms: float | None = None
    """The processor's time that one took, by the median."""

    @classmethod
    def of(cls, loads: Sequence[Load], answers_each: int = 1) -> Self:
        """Count things that take so many answers each, a second."""
        waits_ms = (
            statistics.median(load.p50_ms for load in loads),
            statistics.median(load.p99_ms for load in loads),
        )
        cpu_ms = statistics.median(1000 * load.cpu_s / load.answers for load in loads)
        rates = [load.rate / answers_each for load in loads]
        return cls(rates, waits_ms, cpu_ms * answers_each)

    def spelled(self, unit: str) -> str:
        value = statistics.median(self.values)
        digits = 0 if value >= 100 else 1 if value >= 10 else 2
        waits = f" ({self.waits_ms[0]:.1f} / {self.waits_ms[1]:.1f} ms)" if self.waits_ms else ""
        return f"{value:,.{digits}f} {unit}{waits}"


@dataclass(frozen=True, slots=True)
class Row:
    """One piece of work, done by us and by somebody else in turn."""

    work: str
    unit: str
    ours: Side
    peer: str
    theirs: Side
    target: Target | None = None

    @property
    def ratios(self) -> list[float]:
        """Compare round by round: what disturbs the machine disturbs both sides of a round."""
        pairs = zip(self.ours.values, self.theirs.values, strict=True)
        return [our / their for our, their in pairs]

    @property
    def ratio(self) -> float:
        """Give the median of them."""
        return statistics.median(self.ratios)

    @property
    def is_reached(self) -> bool | None:
        """Tell whether the target is, where there is one."""
        return self.target.is_reached_by(self.ratio) if self.target else None

    def cells(self) -> tuple[str, ...]:
        spread = f"{min(self.ratios):.2f} - {max(self.ratios):.2f}" if len(self.ratios) > 1 else ""
        return (
            self.work,
            self.ours.spelled(self.unit),
            self.peer,
            self.theirs.spelled(self.unit),
            f"{self.ratio:.2f}",
            spread,
            str(self.target or ""),
            {None: "", True: "yes", False: "**NO**"}[self.is_reached],
            self._cpu(),
        )

    def _cpu(self) -> str:
        ours, theirs = self.ours.cpu_ms, self.theirs.cpu_ms
        return f"{ours:.3g} / {theirs:.3g} ms ({theirs / ours:.2f})" if ours and theirs else ""


def table(rows: Sequence[Row]) -> str:
    """Lay the rows out in Markdown."""
    return markdown([HEADINGS, *(row.cells() for row in rows)])


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Lay lines out as a table, the first of them its head."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    ruled = [lines[0], ["-" * width for width in widths], *lines[1:]]
    return "\n".join("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in ruled)


@dataclass(frozen=True, slots=True)
class Part:
    """What one benchmark found, in one run."""

    when: str
    machine: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    """Paragraphs of Markdown that go with the table."""


def save(path: Path, parts: dict[str, Part]) -> None:
    """Keep what was found, so that a part can be measured again alone."""
    found = {name: asdict(part) for name, part in parts.items()}
    path.write_text(json.dumps(found, indent=1) + "\n")


def load(path: Path) -> dict[str, Part]:
    """Read what was kept, if anything was."""
    found = json.loads(path.read_text()) if path.exists() else {}
    return {name: _part(**part) for name, part in found.items()}


def _part(rows: list[dict[str, Any]], **rest: Any) -> Part:
    return Part(rows=[_row(**row) for row in rows], **rest)


def _row(
    ours: dict[str, Any], theirs: dict[str, Any], target: dict[str, Any] | None, **rest: Any
) -> Row:
    aim = Target(Bound(target["bound"]), target["ratio"]) if target else None
    return Row(ours=Side(**ours), theirs=Side(**theirs), target=aim, **rest)
