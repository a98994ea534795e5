"""What a running service tells on its admin port."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True, slots=True)
class Admin:
    """An admin port."""

    port: int

    @property
    def settings(self) -> dict[str, str]:
        return {"ADMIN_PORT": str(self.port)}

    def text(self) -> str:
        """Ask as Prometheus does."""
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def samples(self) -> Iterator[Sample]:
        for family in text_string_to_metric_families(self.text()):
            yield from family.samples

    def total(self, name: str, **labels: str) -> float:
        """Add up the samples of a name that have these labels, whatever others they have."""
        return sum(
            sample.value
            for sample in self.samples()
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def series(self) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        """Name all the series there are."""
        return {(sample.name, frozenset(sample.labels.items())) for sample in self.samples()}
