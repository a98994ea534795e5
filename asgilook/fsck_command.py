"""`asgilook fsck`: the check-up as a command."""

import asyncio
import contextlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

import click

from asgilook import config
from asgilook.backends import (
    make_breaker,
    make_cache,
    make_purge_queue,
    make_purger,
    make_store,
)
from asgilook.config import Settings
from asgilook.errors import ConfigError, StoreUnavailable
from asgilook.fsck import Bench, Checkup, Finding
from asgilook.metrics import Meter
from asgilook.originals import Originals
from asgilook.purges import Purges, forget
from asgilook.tombstones import Tombstones

CLEAN, PROBLEMS, COULD_NOT_LOOK = 0, 1, 2


@dataclass
class Wanted:
    """How the check-up is to go about it."""

    is_repair: bool
    is_quick: bool
    is_json: bool
    older_than_s: int


@dataclass
class Tally:
    """What was looked at, by prefix, and what was found."""

    seen: Counter[str] = field(default_factory=Counter)
    problems: int = 0
    mended: int = 0
    foreign: int = 0

    def note(self, finding: Finding) -> None:
        """Count a finding."""
        self.problems += finding.kind.is_problem
        self.foreign += not finding.kind.is_problem
        self.mended += finding.is_mended

    def __str__(self) -> str:
        """Sum up for people."""
        seen = ", ".join(f"{count} in {prefix}" for prefix, count in self.seen.items())
        text = f"looked at {seen or 'nothing'}: {self.problems} problems, {self.mended} mended"
        return text + (f", {self.foreign} foreign objects left alone" if self.foreign else "")


@click.command()
@click.option("--repair", "is_repair", is_flag=True, help="Mend what is found.")
@click.option("--quick", "is_quick", is_flag=True, help="Do not ask each picture for its metadata.")
@click.option(
    "--older-than",
    "older_than_s",
    metavar="SECONDS",
    default=3600,
    show_default=True,
    type=click.IntRange(0),
    help="Leave alone what came in, or went, more lately: somebody may be at work on it.",
)
@click.option("--json", "is_json", is_flag=True, help="Write a JSON document per line.")
def fsck(*, is_repair: bool, is_quick: bool, is_json: bool, older_than_s: int) -> None:
    """Find what interrupted work left behind: unlisted pictures, empty records and the like.

    It may run beside the service. Each thing that is found is a line; a summary comes last. An
    unlisted picture is listed, not removed. Ends with 0 where all is well or was mended, 1 where
    problems are left, and 2 where it could not look.
    """
    wanted = Wanted(is_repair, is_quick, is_json, older_than_s)
    try:
        tally = asyncio.run(_check(config.load(), wanted))
    except (ConfigError, StoreUnavailable) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(COULD_NOT_LOOK)
    summary = {**vars(tally), "seen": dict(tally.seen)}
    click.echo(json.dumps(summary) if is_json else str(tally))
    sys.exit(CLEAN if tally.problems == tally.mended else PROBLEMS)


async def _check(settings: Settings, wanted: Wanted) -> Tally:
    tally = Tally()

    def count(prefix: str, more: int) -> None:
        tally.seen[prefix] += more
        progress(more)

    async with _bench(settings, wanted, count) as bench:
        checkup = Checkup(bench, is_quick=wanted.is_quick)
        async with _progress(checkup) as progress:
            async for finding in checkup.findings():
                tally.note(finding)
                _tell(finding, wanted)
    return tally


@contextlib.asynccontextmanager
async def _bench(
    settings: Settings, wanted: Wanted, count: Callable[[str, int], None]
) -> AsyncIterator[Bench]:
    """Open the rooms that a check-up works with."""
    meter = Meter()
    breaker = make_breaker(settings, meter)
    store, cache = make_store(settings, meter), make_cache(settings, breaker)
    queue = make_purge_queue(settings, breaker)
    purges = Purges(make_purger(settings), queue, settings.cdn, meter)
    async with contextlib.AsyncExitStack() as open_rooms:
        for room in (store, cache, purges):
            await room.open_up()
            open_rooms.push_async_callback(room.close)
        tombstones = Tombstones(store, settings.deleted_ttl)
        originals = Originals(store, tombstones, partial(forget, purges, cache))
        older_than_s, is_repair = wanted.older_than_s, wanted.is_repair
        yield Bench(store, cache, originals, tombstones, purges, older_than_s, is_repair, count)


@contextlib.asynccontextmanager
async def _progress(checkup: Checkup) -> AsyncIterator[Callable[[int], None]]:
    """Show a bar, where somebody sees it."""
    is_shown = sys.stderr.isatty()
    total = await checkup.count() if is_shown else 0
    with click.progressbar(
        length=total, label="fsck", show_pos=True, file=sys.stderr, hidden=not is_shown
    ) as bar:
        yield bar.update


def _tell(finding: Finding, wanted: Wanted) -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)  # where the bar is
    if wanted.is_json:
        told = {"kind": finding.kind, "key": finding.key, "mended": finding.is_mended}
        click.echo(json.dumps(told))
    else:
        # Names that others chose may be no text, or have lines of their own.
        key = finding.key.encode("unicode_escape").decode()
        click.echo(f"{finding.kind}: {key}{' (mended)' if finding.is_mended else ''}")
