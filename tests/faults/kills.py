"""Sudden ends of processes, the service's own and those of its clients."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random

from asgilook.store import Store
from asgilook.store.s3 import Bucket, S3Store
from tests import pictures
from tests.faults.site import BUCKET, Site
from tests.faults.wishes import LARGE
from tests.load.memory import family_mib
from tests.rooms import opened

WAVES, CLIENTS = 16, 12
MOST_S = 20
PAGE = 1000
PAUSE_S = 0.05
ROOT = Path(__file__).parents[2]
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@contextmanager
def worker_killed(site: Site) -> Iterator[None]:
    """Kill one worker; another one takes its place."""
    site.wait_for_workers(site.plan.workers)
    os.kill(site.workers()[-1], signal.SIGKILL)
    yield
    start_s = time.monotonic()
    site.wait_for_workers(site.plan.workers + 1)
    site.seen.append(f"all workers there {time.monotonic() - start_s:.1f} s later")


@contextmanager
def supervisor_killed(site: Site) -> Iterator[None]:
    """Kill the process above the workers, and start the service again when all of it is gone."""
    with _meanwhile(partial(_kill_supervisor, site)):
        yield


@contextmanager
def clients_killed(site: Site) -> Iterator[None]:
    """Kill clients who are in the middle of their uploads."""
    with _meanwhile(partial(_kill_clients, site)):
        yield


@contextmanager
def _meanwhile(work: Callable[[], None]) -> Iterator[None]:
    with ThreadPoolExecutor(1) as beside:
        working = beside.submit(work)
        yield
        working.result()


def _kill_supervisor(site: Site) -> None:
    process = site.service.process
    family = family_mib(process.pid).keys()
    process.kill()
    process.wait()
    gone_s = _within(lambda: not any(map(_is_alive, family)))
    left = sum(map(_is_alive, family))
    if left:
        site.broken.append(f"{left} processes left")
    site.seen.append(f"all of {len(family)} processes gone after {gone_s:.1f} s")
    start_s = time.monotonic()
    site.start()
    site.seen.append(f"a new start took {time.monotonic() - start_s:.1f} s")


def _kill_clients(site: Site) -> None:
    chance, most_spooled = Random(0), 0
    picture = site.options.folder / "picture.jpeg"
    picture.write_bytes(pictures.upload(LARGE))
    command = [sys.executable, "-m", "tests.faults.leavers", site.service.url, str(picture)]
    for _ in range(WAVES):
        with subprocess.Popen(
            [*command, str(CLIENTS)], stdout=subprocess.PIPE, cwd=ROOT
        ) as leavers:
            assert leavers.stdout
            leavers.stdout.readline()
            time.sleep(chance.uniform(0, 0.1))
            most_spooled = max(most_spooled, len(site.spooled))
            leavers.kill()
    clean_s = _within(lambda: not site.spooled and not _halves(site))
    if clean_s > MOST_S:
        site.broken.append(f"left: {site.spooled} in the spool, {_halves(site)} half there")
    site.seen.append(
        f"{WAVES * CLIENTS} clients killed, up to {most_spooled} uploads in the spool; nothing of "
        f"them left after {clean_s:.1f} s"
    )


def _halves(site: Site) -> set[str]:
    """Name the images that are stored and not listed, or listed and not stored."""

    async def look() -> set[str]:
        async with opened(S3Store(Bucket(BUCKET, endpoint_url=site.s3.url))) as store:
            return await _ids(store, "images/") ^ await _ids(store, "index/")

    return asyncio.run(look())


async def _ids(store: Store, prefix: str) -> set[str]:
    found: set[str] = set()
    after = ""
    while page := await store.scan(prefix, after=after, limit=PAGE):
        found.update(match[0] for name in page if (match := _ID.search(name)))
        after = page[-1]
    return found


def _within(is_so: Callable[[], bool]) -> float:
    """Tell after how long it is so; or the most, where it never is."""
    start_s = time.monotonic()
    while not is_so() and time.monotonic() - start_s < MOST_S:
        time.sleep(PAUSE_S)
    return time.monotonic() - start_s


def _is_alive(pid: int) -> bool:
    """Tell whether a process still runs; one that nobody has asked for its end does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
