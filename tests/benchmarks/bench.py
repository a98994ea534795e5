"""What every benchmark is given: services to measure, and a fair way to compare two of them."""

import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import click

from tests import servers
from tests.benchmarks.load import Client, Question

Pair = tuple[list[float], list[float]]
"""What was measured of ours and of theirs, round by round."""


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

    def service(self, settings: Mapping[str, str]) -> AbstractContextManager[servers.Service]:
        """Run asgilook with these settings, and without a line for each request."""
        options = servers.ServiceOptions(self.folder(), settings, ("--no-access-log",))
        return servers.service(options)

    def rates(self, what: str, ours: Question, theirs: Question, connections: int) -> Pair:
        """Measure answers a second of both, after a moment to warm up."""

        def rate_of(question: Question, seconds: float = self.seconds) -> float:
            return self.client.answers_a_second(question, connections, seconds)

        for question in (ours, theirs):
            rate_of(question, self.seconds / 4)
        with progress(range(self.rounds), what) as rounds:
            return take_turns(rounds, lambda: rate_of(ours), lambda: rate_of(theirs))


def take_turns(
    rounds: Iterable[int], ours: Callable[[], float], theirs: Callable[[], float]
) -> Pair:
    """Measure both once a round; who went first goes second in the next.

    Whatever else the machine does meets both alike, and so leaves their ratio alone.
    """
    pair: Pair = ([], [])
    turns = [(pair[0], ours), (pair[1], theirs)]
    for number in rounds:
        for results, measure in turns[::-1] if number % 2 else turns:
            results.append(measure())
    return pair


def progress(steps: Iterable[int], what: str) -> AbstractContextManager[Iterable[int]]:
    """Show how far a long piece of work is, where somebody is looking."""
    return click.progressbar(steps, label=f"{what:36}", file=sys.stderr)
