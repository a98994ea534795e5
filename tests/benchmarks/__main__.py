"""`python -m tests.benchmarks`, which is what `make bench` runs."""

import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from asgilook import __version__
from tests import servers
from tests.benchmarks import (
    cold,
    document,
    hits,
    memory,
    originals,
    pages,
    quality,
    report,
    scaling,
    startup,
    uploads,
)
from tests.benchmarks.bench import Bench
from tests.benchmarks.load import Client
from tests.benchmarks.report import Part, Row

BENCHMARKS: dict[str, Callable[[Bench], Iterator[Row | str]]] = {
    "cold": cold.measure,
    "hits": hits.measure,
    "originals": originals.measure,
    "uploads": uploads.measure,
    "quality": quality.measure,
    "pages": pages.measure,
    "memory": memory.measure,
    "startup": startup.measure,
    "scaling": scaling.measure,
}
RESULTS = Path(__file__).parent / "results.json"


def _names(context: click.Context, parameter: click.Parameter, value: str) -> list[str]:
    names = [name for name in value.split(",") if name] or list(BENCHMARKS)
    for name in names:
        if name not in BENCHMARKS:
            raise click.BadParameter(f"{name} is none of {', '.join(BENCHMARKS)}")
    return names


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only",
    default="",
    metavar="NAME,...",
    callback=_names,
    help="Run these benchmarks.  [default: all of them]",
)
@click.option(
    "--rounds",
    default=7,
    show_default=True,
    type=click.IntRange(min=1),
    help="How often all sides are measured, in turn.",
)
@click.option(
    "--seconds",
    default=2.0,
    show_default=True,
    type=click.FloatRange(min=0.1),
    help="How long each side is asked in a round, where that is how it is measured.",
)
@click.option("--results", default=RESULTS, type=click.Path(path_type=Path), hidden=True)
def main(only: list[str], rounds: int, seconds: float, results: Path) -> None:
    """Measure asgilook beside others, in turn on the same pictures, and write the report.

    \b
    cold       ladders and single sizes that nobody asked for before, beside
               thumbor, sharp, ipx and the 2019 tutorial
    hits       thumbnails from memory and Redis, and 304s, beside bare Falcon
    originals  of 10 KB, 1 MB and 20 MB from SeaweedFS, beside a bare pipe
    uploads    of JPEG, PNG and WebP, beside Pillow's own work
    quality    likeness beside libvips; the encoders' settings
    pages      of 100 images among 100, 10,000 and 100,000
    memory     at rest and while photographs of 24 megapixels are rendered
    startup    until the first answer
    scaling    what an answer costs with one, two and four processes

    All servers run on free ports of 127.0.0.1 and are stopped again. What is missing for them is
    installed below .venv/bench; without node, sharp and ipx are left out.
    """
    # A store that is filled here needs the key of the test servers, and nobody's own.
    os.environ.update(servers.AWS_ENVIRONMENT)
    for name in only:
        part = _run(name, rounds, seconds)
        click.echo(f"\n{name}\n\n{report.table(part.rows)}\n")
        for note in part.notes:
            click.echo(note + "\n")
        report.save(results, {**report.load(results), name: part})
    document.write(report.load(results))


def _run(name: str, rounds: int, seconds: float) -> Part:
    with tempfile.TemporaryDirectory() as root, Client() as client:
        found = list(BENCHMARKS[name](Bench(client, Path(root), rounds, seconds)))
    rows = [row for row in found if isinstance(row, Row)]
    notes = [note for note in found if isinstance(note, str)]
    return Part(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", _machine(rounds, seconds), rows, notes)


def _machine(rounds: int, seconds: float) -> str:
    return (
        f"asgilook {__version__}, Python {platform.python_version()}, {os.cpu_count()} processors, "
        f"{rounds} rounds, {seconds:g} s"
    )


if __name__ == "__main__":
    main()
