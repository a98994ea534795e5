"""What an answer costs with more processes: the model in `infra/capacity.py` says, no more."""

from collections.abc import Iterator
from contextlib import ExitStack

import httpx

from tests.benchmarks import photographs
from tests.benchmarks.bench import Bench
from tests.benchmarks.load import Load, Question
from tests.benchmarks.report import Row, Side, at_most

WORKERS = (1, 2, 4)
CONNECTIONS = 32
TOLERANCE = 1.2
"""How much dearer an answer may get before the model is wrong."""


def measure(bench: Bench) -> Iterator[Row | str]:
    """Ask one, two and four processes for a thumbnail that each has in memory, in turn."""
    with ExitStack() as stack:
        questions: dict[str, tuple[int, Question]] = {}
        for workers in WORKERS:
            service = stack.enter_context(bench.service({}, "--workers", str(workers)))
            questions[str(workers)] = (service.process.pid, Question(_thumbnail(service.url)))
        loads = bench.asking("processes", questions, CONNECTIONS)
    alone = _us_an_answer(loads["1"])
    for workers in WORKERS[1:]:
        what = f"processor time of a hit in memory, {workers} processes"
        spent = _us_an_answer(loads[str(workers)])
        yield Row(what, "us", spent, "1 process", alone, at_most(TOLERANCE))


def _thumbnail(url: str) -> str:
    with httpx.Client(base_url=url) as client:
        upload = photographs.uploads()[0]
        made = client.post("/images", content=upload, headers=photographs.FIELDS)
        path: str = made.raise_for_status().json()["thumbnails"][-1]
    return url + path


def _us_an_answer(loads: list[Load]) -> Side:
    return Side([1e6 * load.cpu_s / load.answers for load in loads])
