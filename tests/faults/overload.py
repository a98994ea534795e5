"""Five times more thumbnails wanted than can be made: `python -m tests.faults.overload`."""

import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click
import httpx

from asgilook.signing import Signer
from tests import pictures, servers
from tests.benchmarks.load import Client, Question
from tests.faults import crowd
from tests.faults.wishes import FIELDS, SETTINGS, SIGNING_KEY
from tests.load.memory import family_mib

LARGE = (4000, 3000)
TIMES = 5
KEPT, RISE_MS, AGAIN_S = 0.9, 50, 5
"""What is promised of hits, and of the time until all is as before."""
HEAD_START_S = 1
CONNECTIONS = 8


@dataclass
class _Site:
    url: str
    image_id: str
    hit: Question
    paths: Iterator[str]

    def misses(self, count: int) -> list[str]:
        return [self.url + path for path in itertools.islice(self.paths, count)]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=3, show_default=True, help="Idle, then overload, so often.")
@click.option("--seconds", default=3.0, show_default=True, help="How long each of both.")
def main(rounds: int, seconds: float) -> None:
    """Measure hits while nothing else is asked for, and during an overload, in turn.

    Who asks for hits shares the processors with the service, in both; ends with 1 where, by the
    medians, hits lose a tenth of their speed, their p99 rises by 50 ms, or a thumbnail takes 5 s
    when all others have left.
    """
    options_of = servers.ServiceOptions
    with (
        tempfile.TemporaryDirectory() as root,
        servers.service(options_of(Path(root), SETTINGS, ("--no-access-log",))) as service,
        Client() as client,
        crowd.process() as generator,
    ):
        site = _open_up(service.url)
        rate = generator.submit(crowd.serve_all, site.misses(40), 4).result()
        click.echo(f"{rate:.1f} thumbnails of {LARGE[0]}x{LARGE[1]} a second can be made")
        client.ask_for(site.hit, CONNECTIONS, 1)
        ratios, rises_ms, agains_s = [], [], []
        for _ in range(rounds):
            idle = client.ask_for(site.hit, CONNECTIONS, seconds)
            urls = site.misses(int(TIMES * rate * (seconds + 2 * HEAD_START_S)))
            with crowd.crowding(generator, urls, seconds + 2 * HEAD_START_S) as crowded:
                time.sleep(HEAD_START_S)
                beside = client.ask_for(site.hit, CONNECTIONS, seconds)
                memory_mib = sum(family_mib(service.process.pid).values())
                served = crowded.result()
            agains_s.append(_again_s(site))
            ratios.append(beside.rate / idle.rate)
            rises_ms.append(beside.p99_ms - idle.p99_ms)
            click.echo(
                f"hits {idle.rate:.0f}/s, p99 {idle.p99_ms:.1f} ms; beside {beside.rate:.0f}/s, "
                f"{beside.p99_ms:.1f} ms; {memory_mib:.0f} MiB; {dict(served.statuses)}, "
                f"503 within {served.worst_refusal_s:.2f} s; again after {agains_s[-1]:.1f} s"
            )
    click.echo(f"hits keep {median(ratios):.0%}; p99 {median(rises_ms):+.1f} ms")
    sys.exit(median(ratios) < KEPT or median(rises_ms) > RISE_MS or max(agains_s) > AGAIN_S)


def _open_up(url: str) -> _Site:
    with httpx.Client(base_url=url, timeout=60) as client:
        made = client.post("/images", content=pictures.upload(LARGE), headers=FIELDS)
        view = made.raise_for_status().json()
    hit = Question(url + view["thumbnails"][-1])
    return _Site(url, view["id"], hit, _paths(view["id"]))


def _paths(image_id: str) -> Iterator[str]:
    """Sign one size after the other."""
    signer = Signer([SIGNING_KEY])
    for number in itertools.count():
        text = f"contain/{image_id}/{200 + number % 200}x{300 + number // 200}.jpeg"
        yield f"/signed/{signer.sign(text)}/{text}"


def _again_s(site: _Site) -> float:
    start_s = time.monotonic()
    httpx.get(site.misses(1)[0], timeout=60).raise_for_status()
    return time.monotonic() - start_s


if __name__ == "__main__":
    main()
