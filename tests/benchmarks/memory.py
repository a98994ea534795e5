"""Memory of whole process trees: at rest, after work, and while large photographs are rendered."""

import time
from collections.abc import Iterator

from asgilook.image import Format, ladder
from tests import servers
from tests.benchmarks import photographs, processes
from tests.benchmarks.bench import Bench
from tests.benchmarks.cold import OURS, Shelf
from tests.benchmarks.load import Question
from tests.benchmarks.peers import Peer
from tests.benchmarks.report import Row, Side, at_most

MEASURED = (OURS, "thumbor", "sharp", "ipx")
AT_ONCE = 8
REST_S = 6
"""More than ours waits before it gives memory back."""
REQUESTS, UPLOADS = 1000, 32
RUNGS = ladder(photographs.LARGE, 64)


def measure(bench: Bench) -> Iterator[Row | str]:
    """Compare before, during and after eight cold ladders of 24 megapixels at once."""
    shelf = Shelf.filled(bench, photographs.large_uploads(), 1)
    found: dict[str, tuple[float, float, float]] = {}
    with shelf.served(bench) as everyone:
        for one in everyone:
            if one.name in MEASURED:
                found[one.name] = _of(bench, one, shelf.names)
    ours = found.pop(OURS)
    for number, what in enumerate(("at rest", "at the peak", "after it")):
        for name, theirs in found.items():
            target = at_most(1) if name == "thumbor" and what == "at the peak" else None
            sides = Side([ours[number]]), Side([theirs[number]])
            yield Row(f"memory {what}", "MB", sides[0], name, sides[1], target)
    yield from _mixed(bench)


def _of(bench: Bench, one: Peer, names: list[str]) -> tuple[float, float, float]:
    before_mb = processes.memory_mb(one.pid)
    questions = [one.thumbnail(name, size, Format.JPEG) for size in RUNGS for name in names]
    with processes.watching(one.pid) as peak:
        bench.client.ask_all(questions, AT_ONCE)
    return before_mb, peak.mb, _rested_mb(one.pid)


def _rested_mb(pid: int) -> float:
    time.sleep(REST_S)
    return processes.memory_mb(pid)


def _mixed(bench: Bench) -> Iterator[Row]:
    """Do a bit of everything, and see whether the memory stays what it was."""
    with servers.valkey() as redis_url, bench.service({"REDIS_URL": redis_url}) as service:
        pid, url = service.process.pid, service.url
        body, fields = photographs.uploads()[0], photographs.FIELDS
        uploads = [Question(f"{url}/images", fields, 201, body)] * UPLOADS
        pages = [Question(f"{url}/images")] * (REQUESTS - UPLOADS)
        bench.client.ask_all(uploads, AT_ONCE)
        first_mb = _rested_mb(pid)
        bench.client.ask_all(uploads + pages, AT_ONCE)
        then_mb = _rested_mb(pid)
    what = f"memory after {REQUESTS:,} more requests"
    yield Row(what, "MB", Side([then_mb]), "itself before", Side([first_mb]))
