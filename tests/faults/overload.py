"""Five times more thumbnails wanted than can be made: `python -m tests.faults.overload`."""

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click
import httpx

from asgilook.signing import Signer
from tests import pictures, servers
from tests.benchmarks.load import Client, Load, Question
from tests.faults import crowd
from tests.faults.wishes import FIELDS, SETTINGS, SIGNING_KEY
from tests.load.memory import family_mib

LARGE = (4000, 3000)
TIMES = 5
KEPT, RISE_MS, AGAIN_S = 0.9, 50, 5
"""What is promised of hits, and of the time until all is as before."""
HEAD_START_S = 1
CONNECTIONS = 8

STRANGER = """
import os
os.nice(19)
if hasattr(os, "SCHED_IDLE"):
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while True:
    pass
"""
"""A program that has nothing to do with the service, and takes what nobody else wants to have."""


@dataclass(frozen=True)
class _Site:
    service: servers.Service
    image_id: str
    hit: Question
    paths: Iterator[str]
    client: Client
    generator: ProcessPoolExecutor

    def misses(self, count: int) -> list[str]:
        return [self.service.url + path for path in itertools.islice(self.paths, count)]

    def hits(self, seconds: float) -> Load:
        return self.client.ask_for(self.hit, CONNECTIONS, seconds)

    def beside(self, urls: Sequence[str], seconds: float) -> tuple[Load, crowd.Served]:
        """Ask for hits while a crowd asks for something else, which came a little before."""
        with crowd.crowding(self.generator, urls, seconds + 2 * HEAD_START_S) as crowded:
            time.sleep(HEAD_START_S)
            return self.hits(seconds), crowded.result()

    def again_s(self) -> float:
        start_s = time.monotonic()
        httpx.get(self.misses(1)[0], timeout=60).raise_for_status()
        return time.monotonic() - start_s


@dataclass(frozen=True)
class _Round:
    """Hits with nothing beside them, beside what would be there anyway, and in the overload."""

    idle: Load
    floor: Load
    beside: Load
    served: crowd.Served
    memory_mib: float
    again_s: float

    @classmethod
    def measured(cls, site: _Site, rate: float, seconds: float) -> "_Round":
        count = int(TIMES * rate * (seconds + 2 * HEAD_START_S))
        idle = site.hits(seconds)
        with _strangers():
            floor, _ = site.beside([f"{site.service.url}/nothing"] * count, seconds)
        beside, served = site.beside(site.misses(count), seconds)
        memory_mib = sum(family_mib(site.service.process.pid).values())
        return cls(idle, floor, beside, served, memory_mib, site.again_s())

    def __str__(self) -> str:
        return (
            f"hits {self.idle.rate:.0f}/s, p99 {self.idle.p99_ms:.1f} ms; "
            f"beside strangers {self.floor.rate:.0f}/s, {self.floor.p99_ms:.1f} ms; "
            f"in the overload {self.beside.rate:.0f}/s, {self.beside.p99_ms:.1f} ms; "
            f"{self.memory_mib:.0f} MiB; {dict(self.served.statuses)}, "
            f"503 within {self.served.worst_refusal_s:.2f} s; again after {self.again_s:.1f} s"
        )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=3, show_default=True, help="All three, in turn, so often.")
@click.option("--seconds", default=3.0, show_default=True, help="How long each of them.")
def main(rounds: int, seconds: float) -> None:
    """Measure hits alone, beside strangers, and in an overload, in turn.

    Who asks for hits shares the processors with the service, in all three. The strangers are
    programs of the lowest priority that only count, one for each processor, and as many requests
    as in the overload, but for nothing: what they leave of the speed is all that a machine like
    this can show. Ends with 1 where, by the medians, hits lose a tenth of their speed, their p99
    rises by 50 ms, or a thumbnail takes 5 s when all others have left.
    """
    with _opened() as site:
        rate = site.generator.submit(crowd.serve_all, site.misses(40), 4).result()
        click.echo(f"{rate:.1f} thumbnails of {LARGE[0]}x{LARGE[1]} a second can be made")
        site.hits(1)
        made = []
        for _ in range(rounds):
            made.append(_Round.measured(site, rate, seconds))
            click.echo(made[-1])
    sys.exit(not _tell(made))


def _tell(made: Sequence[_Round]) -> bool:
    kept = median(one.beside.rate / one.idle.rate for one in made)
    left = median(one.floor.rate / one.idle.rate for one in made)
    of_that = median(one.beside.rate / one.floor.rate for one in made)
    rise_ms = median(one.beside.p99_ms - one.idle.p99_ms for one in made)
    click.echo(
        f"hits keep {kept:.0%}; p99 {rise_ms:+.1f} ms; "
        f"strangers leave {left:.0%}, the overload {of_that:.0%} of that"
    )
    return kept >= KEPT and rise_ms <= RISE_MS and all(one.again_s <= AGAIN_S for one in made)


@contextmanager
def _opened() -> Iterator[_Site]:
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options = servers.ServiceOptions(root, SETTINGS, ("--no-access-log",))
        service = stack.enter_context(servers.service(options))
        client = stack.enter_context(Client())
        generator = stack.enter_context(crowd.process())
        with httpx.Client(base_url=service.url, timeout=60) as visitor:
            made = visitor.post("/images", content=pictures.upload(LARGE), headers=FIELDS)
        view = made.raise_for_status().json()
        hit = Question(service.url + view["thumbnails"][-1])
        yield _Site(service, view["id"], hit, _paths(view["id"]), client, generator)


def _paths(image_id: str) -> Iterator[str]:
    """Sign one size after the other."""
    signer = Signer([SIGNING_KEY])
    for number in itertools.count():
        text = f"contain/{image_id}/{200 + number % 200}x{300 + number // 200}.jpeg"
        yield f"/signed/{signer.sign(text)}/{text}"


@contextmanager
def _strangers() -> Iterator[None]:
    command = [sys.executable, "-c", STRANGER]
    programs = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
        # One that could not do what it is for would leave too much of the speed.
        assert [program.poll() for program in programs] == [None] * len(programs)
    finally:
        for program in programs:
            program.kill()
            program.wait()


if __name__ == "__main__":
    main()
