"""What a metric is: a name, and what its numbers mean."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How the numbers of several processes add up (Prometheus, "Metric types")."""

    COUNTER = "counter"
    """Stays when its process ends."""
    GAUGE = "gauge"
    """Goes with its process."""
    HISTOGRAM = "histogram"
    """Stays; each observation is counted in the first bucket that holds it."""


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """A metric, in Prometheus's base units; each set of labels is a series of its own."""

    name: str
    help: str
    kind: Kind = Kind.COUNTER
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """The upper bounds, ascending; what is above them all has a bucket besides."""

    @property
    def numbers(self) -> int:
        """Count the numbers of a series: for a histogram each bucket's, and the sum."""
        return len(self.buckets) + 2 if self.kind is Kind.HISTOGRAM else 1
