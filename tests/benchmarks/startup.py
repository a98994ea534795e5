"""How long it takes from the start of a process to its first answer."""

import time
from collections.abc import Callable, Iterator

from tests.benchmarks import peers
from tests.benchmarks.bench import Bench
from tests.benchmarks.report import Row, Side


def measure(bench: Bench) -> Iterator[Row | str]:
    """Start everyone in turn."""
    folder = bench.folder() / "files"
    folder.mkdir()

    def ours(_: int) -> float:
        start_s = time.perf_counter()
        with bench.service({}):
            return time.perf_counter() - start_s

    def side(name: str) -> Callable[[int], float]:
        def start(_: int) -> float:
            start_s = time.perf_counter()
            with peers.serving(name, folder):
                return time.perf_counter() - start_s

        return start

    sides = {name: side(name) for name in peers.available()}
    found = bench.turns("starts", {"ours": ours, **sides})
    for name in sides:
        yield Row("start", "s", Side(found["ours"]), name, Side(found[name]))
