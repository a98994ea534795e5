"""What every benchmark is given: services to measure, and a fair way to compare them."""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import click

from tests import servers
from tests.benchmarks import processes
from tests.benchmarks.load import Client, Load, Question

UNLIMITED = {f"RATE_LIMIT_{what}": "none" for what in ("UPLOADS", "BYTES", "RENDERING")}
WARM_UP = 100
SLICES = 4
"""Short turns meet the same trouble more often than long ones do."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A server's process, and the load that it is put under in a round."""

    pid: int
    ask: Callable[[int], Load]

    def costed(self, number: int) -> Load:
        """Put it under load, and see how much of the processor that took."""
        before_s = processes.cpu_s(self.pid)
        load = self.ask(number)
        return replace(load, cpu_s=processes.cpu_s(self.pid) - before_s)


@dataclass(frozen=True, slots=True)
class Bench:
    """Measures for so many rounds of so many seconds."""

    client: Client
    root: Path
    rounds: int
    seconds: float

    def folder(self) -> Path:
        """Make a folder that nothing else uses."""
        return Path(tempfile.mkdtemp(dir=self.root))

    def service(
        self, settings: Mapping[str, str], *arguments: str
    ) -> AbstractContextManager[servers.Service]:
        """Run asgilook with these settings: without a line for each request, and unlimited."""
        asked = {**UNLIMITED, **settings}
        options = servers.ServiceOptions(self.folder(), asked, ("--no-access-log", *arguments))
        return servers.service(options)

    @contextlib.contextmanager
    def bucket(self) -> Iterator[dict[str, str]]:
        """Run SeaweedFS with a bucket; give the settings for it."""
        with servers.seaweedfs(self.folder()) as url:
            servers.make_bucket(url, "bench")
            yield {"S3_BUCKET": "bench", "S3_ENDPOINT_URL": url}

    def asking(
        self, what: str, questions: Mapping[str, tuple[int, Question]], connections: int
    ) -> dict[str, list[Load]]:
        """Ask each side, a process, its question for a while, after a moment to warm up."""

        seconds = self.seconds / SLICES

        def side(pid: int, question: Question) -> Asked:
            return Asked(pid, lambda _: self.client.ask_for(question, connections, seconds))

        for _, question in questions.values():
            self.client.ask_all([question] * WARM_UP, connections)
        sides = {name: side(*asked) for name, asked in questions.items()}
        return self.loads(what, sides, self.rounds * SLICES)

    def loads(
        self, what: str, sides: Mapping[str, Asked], rounds: int | None = None
    ) -> dict[str, list[Load]]:
        """Put loads on servers in turns, and see what they cost."""
        return self.turns(what, {name: side.costed for name, side in sides.items()}, rounds)

    def turns(
        self, what: str, sides: Mapping[str, Callable[[int], T]], rounds: int | None = None
    ) -> dict[str, list[T]]:
        """Measure in turns, by default as often as this bench has rounds."""
        with progress(range(rounds or self.rounds), what) as steps:
            return take_turns(steps, sides)


def take_turns(
    rounds: Iterable[int], sides: Mapping[str, Callable[[int], T]]
) -> dict[str, list[T]]:
    """Measure every side once a round; in the next, the one that came first comes last.

    Whatever else the machine does meets all alike, and so leaves their ratios alone.
    """
    results: dict[str, list[T]] = {name: [] for name in sides}
    names = list(sides)
    for number in rounds:
        for name in names:
            results[name].append(sides[name](number))
        names.append(names.pop(0))
    return results


def progress(steps: Iterable[int], what: str) -> AbstractContextManager[Iterable[int]]:
    """Show how far a long piece of work is, where somebody is looking."""
    return click.progressbar(steps, label=f"{what:36}", file=sys.stderr)
