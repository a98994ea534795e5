"""What takes more than a row to tell: deletions that are raced, and more work than can be done."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time_ns

from tests import servers
from tests.durability.races import Outcome, fleet, race, verify
from tests.e2e.steps import starting

RACES = 1000
BUCKET = "races"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    title: str
    promise: str
    lines: Sequence[str]
    is_kept: bool


def deletions() -> Section:
    """Race deletions against all that could bring an image back."""
    promise = (
        "afterwards every process says 410, and no cache entry, record or object is left of any"
    )
    try:
        lines, is_kept = list(asyncio.run(_race(time_ns())).lines()), True
    except (AssertionError, ExceptionGroup) as error:
        lines, is_kept = [repr(error)], False
    return Section(DELETIONS, promise, lines, is_kept)


def overload() -> Section:
    """Ask for more than can be made."""
    promise = (
        "by the medians, hits keep 90 % of their speed, and their p99 rises by no more than 50 ms; "
        "the excess is refused quickly, and a thumbnail is made within 5 s when it is over"
    )
    command = [sys.executable, "-m", "tests.faults.overload"]
    # Whatever else the machine is at is not there for the service.
    before = f"{os.cpu_count()} processors; load before it {os.getloadavg()[0]:.1f}"
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    return Section(OVERLOAD, promise, [before, *run.stdout.splitlines()], run.returncode == 0)


DELETIONS = "Deletions raced by uploads, repeated uploads, renderings and lookups"
OVERLOAD = "Five times more thumbnails wanted than can be made"

SECTIONS: Mapping[str, Callable[[], Section]] = {DELETIONS: deletions, OVERLOAD: overload}
"""What there is, by title."""


async def _race(seed: int) -> Outcome:
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.seaweedfs(Path(folder)) as s3_url,
        servers.valkey() as redis_url,
        starting(Path(folder)) as start,
    ):
        servers.make_bucket(s3_url, BUCKET)
        async with fleet(start, s3_url, BUCKET, redis_url) as processes:
            outcome = await race(processes, RACES, seed)
            await verify(processes, outcome)
    return outcome
