"""`python -m tests.benchmarks`, which is what `make bench` runs."""

import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from asgilook import __version__
from tests import servers
from tests.benchmarks import hits, memory, pages
from tests.benchmarks.bench import Bench
from tests.benchmarks.load import Client
from tests.benchmarks.report import Row, table

BENCHMARKS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "hits": hits.measure,
    "pages": pages.measure,
    "memory": memory.measure,
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(BENCHMARKS)),
    help="Run this benchmark; may be given several times.  [default: all of them]",
)
@click.option(
    "--rounds",
    default=7,
    show_default=True,
    type=click.IntRange(min=1),
    help="How often both sides are measured, in turn.",
)
@click.option(
    "--seconds",
    default=2.0,
    show_default=True,
    type=click.FloatRange(min=0.1),
    help="How long each side is asked in a round.",
)
def main(only: tuple[str, ...], rounds: int, seconds: float) -> None:
    """Measure asgilook beside something known, in one run, and print a table.

    \b
    hits    thumbnails from the cache, beside a bare Falcon resource that
            answers the same bytes (16 connections)
    pages   a page of 100 out of 10,000 images, beside one out of 100
    memory  of a worker and its children after 1,000 requests, beside idle

    The servers that this takes are started on free ports of 127.0.0.1, and stopped. A row names
    its two sides, ours first, which are measured in turn. It shows the medians of both, and the
    median and the range of their ratios, round by round.
    """
    # A store that is filled here needs the key of the test servers, and nobody's own.
    os.environ.update(servers.AWS_ENVIRONMENT)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as root, Client() as client:
        bench = Bench(client, Path(root), rounds, seconds)
        for name in only or BENCHMARKS:
            rows += BENCHMARKS[name](bench)
    click.echo(
        f"asgilook {__version__}, Python {platform.python_version()}, {os.cpu_count()} processors, "
        f"{rounds} rounds of {seconds:g} s\n"
    )
    click.echo(table(rows))


if __name__ == "__main__":
    main()
