"""More clients than can be served: they come at their own pace, whoever else is still waiting."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from time import perf_counter
from urllib.parse import urlsplit

import uvloop

HEAD = re.compile(rb"HTTP/1\.1 (\d{3})(?s:.*?)\r\n\r\n")
RETRY_AFTER = re.compile(rb"(?i)\r\nretry-after: *(\d+)\r\n")

LEFT = "left"
"""What is counted where a client was still waiting at the end, and left."""


@dataclass
class Served:
    """What a crowd was told."""

    statuses: Counter[str] = field(default_factory=Counter)
    worst_refusal_s: float = 0
    """The longest wait for a 503."""
    hints: Counter[str] = field(default_factory=Counter)
    """Retry-After on those, and how often; an empty one was missing."""

    def __add__(self, other: "Served") -> "Served":
        """Put two crowds together."""
        worst_s = max(self.worst_refusal_s, other.worst_refusal_s)
        return Served(self.statuses + other.statuses, worst_s, self.hints + other.hints)


@contextmanager
def crowding(
    generator: ProcessPoolExecutor, urls: Sequence[str], seconds: float
) -> Iterator["Future[Served]"]:
    """Ask for each of these once, evenly over so many seconds; who still waits then leaves."""
    yield generator.submit(_run, urls, seconds)


def process() -> ProcessPoolExecutor:
    """Make a process for crowds."""
    return ProcessPoolExecutor(1, get_context("spawn"))


def serve_all(urls: Sequence[str], at_once: int) -> float:
    """Tell how many of these are answered a second, where only so many ask at once."""
    return uvloop.run(_serve_all(urls, at_once))


def _run(urls: Sequence[str], seconds: float) -> Served:
    return uvloop.run(_come(urls, seconds))


async def _come(urls: Sequence[str], seconds: float) -> Served:
    served, start_s = Served(), perf_counter()
    waiting = []
    for number, url in enumerate(urls):
        await asyncio.sleep(start_s + number * seconds / len(urls) - perf_counter())
        waiting.append(asyncio.create_task(_ask(url, served)))
    for one in waiting:
        served.statuses[LEFT] += one.cancel()
    await asyncio.wait(waiting)
    return served


async def _serve_all(urls: Sequence[str], at_once: int) -> float:
    left, served, start_s = list(urls), Served(), perf_counter()

    async def visit() -> None:
        while left:
            await _ask(left.pop(), served)

    await asyncio.gather(*(visit() for _ in range(at_once)))
    assert served.statuses == {"200": len(urls)}, served.statuses
    return len(urls) / (perf_counter() - start_s)


async def _ask(url: str, served: Served) -> None:
    place, start_s = urlsplit(url), perf_counter()
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(
            b"GET %s HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n" % place.path.encode()
        )
        answer = await reader.read()
    finally:
        writer.transport.abort()
    head = HEAD.match(answer)
    status = head[1].decode() if head else "cut"
    served.statuses[status] += 1
    if head and status == "503":
        served.worst_refusal_s = max(served.worst_refusal_s, perf_counter() - start_s)
        hint = RETRY_AFTER.search(head[0])
        served.hints[hint[1].decode() if hint else ""] += 1
