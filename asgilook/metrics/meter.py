"""The numbers of one process, in a block of memory that another process can read at any time.

First come the numbers, then a line of text for each series that says which of them are its own.
A plain store of eight bytes is all that counting takes: no lock, since only the thread of the
event loop counts, and no call to the system.
"""

import json
import mmap
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

from asgilook.metrics.catalogue import METRICS
from asgilook.metrics.metric import Kind, Metric

NUMBERS = 8192
NUMBERS_BYTES = NUMBERS * 8
BLOCK_BYTES = 4 * NUMBERS_BYTES
SPARE = 64
"""The first numbers are for what has no room: counting must not fail a request."""

Block = bytearray | mmap.mmap
Labels = tuple[str, ...]


class Meter:
    """Counts, in memory of this process alone unless another block is given."""

    def __init__(self, block: Block | None = None) -> None:
        whole = memoryview(bytearray(BLOCK_BYTES) if block is None else block)
        self._numbers = whole[:NUMBERS_BYTES].cast("d")
        self._text = whole[NUMBERS_BYTES:]
        self._text_end = 0
        self._numbers_end = SPARE
        self._places: dict[tuple[Metric, Labels], int] = {}

    def place(self, metric: Metric, *labels: str) -> int:
        """Give the place of a series among the numbers: from now on it is there, at 0."""
        key = metric, labels
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self._add(metric, labels)
        return place

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        self._numbers[self.place(metric, *labels)] += by

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Say what a gauge is at, or a counter that is kept elsewhere."""
        self._numbers[self.place(metric, *labels)] = value

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Add a value to a histogram."""
        place = self.place(metric, *labels)
        self._numbers[place + bisect_left(metric.buckets, value)] += 1
        self._numbers[place + len(metric.buckets) + 1] += value

    def add(self, metric: Metric, counts: Sequence[int], total: float, *labels: str) -> None:
        """Add many values to a histogram: how many of them are in each bucket, and their sum."""
        place = self.place(metric, *labels)
        for i, number in enumerate((*counts, total), place):
            self._numbers[i] += number

    @contextmanager
    def timed(self, metric: Metric, *labels: str) -> Iterator[None]:
        """Observe how long a block takes, in seconds, however it ends."""
        start_s = perf_counter()
        try:
            yield
        finally:
            self.observe(metric, perf_counter() - start_s, *labels)

    def _add(self, metric: Metric, labels: Labels) -> int:
        assert len(labels) == len(metric.labels), metric.name
        place, numbers_end = self._numbers_end, self._numbers_end + metric.numbers
        line = json.dumps([metric.name, labels, place]).encode()
        text_end = self._text_end + len(line)
        # The last byte stays zero.
        if numbers_end > NUMBERS or text_end + 2 > len(self._text):
            return 0
        self._text[self._text_end : text_end] = line
        # Only now can the line be read.
        self._text[text_end] = ord("\n")
        self._text_end, self._numbers_end = text_end + 1, numbers_end
        return place


def read(block: bytes) -> Iterator[tuple[Metric, Labels, list[float]]]:
    """Go through the series of a block, whether or not its process is still counting."""
    numbers = memoryview(block)[:NUMBERS_BYTES].cast("d")
    lines, _, _ = block[NUMBERS_BYTES:].partition(b"\0")[0].rpartition(b"\n")
    for line in lines.splitlines():
        name, labels, place = json.loads(line)
        metric = METRICS[name]
        yield metric, tuple(labels), list(numbers[place : place + metric.numbers])


def outlives(metric: Metric) -> bool:
    """Tell whether the numbers of a process that has ended still count."""
    return metric.kind is not Kind.GAUGE
