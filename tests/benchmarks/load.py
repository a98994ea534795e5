"""A client that asks over keep-alive connections, and costs little beside the server it asks.

It runs in a process of its own, on uvloop; each connection asks one question at a time, as soon
as the answer to the one before is complete.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing import get_context
from statistics import quantiles
from time import perf_counter
from types import TracebackType
from typing import Self, cast
from urllib.parse import urlsplit

import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_BODILESS = 304


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask for, and the status that the answer must have."""

    url: str
    fields: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    body: bytes | None = None
    method: str = ""
    """By default GET, or POST where there is a body."""

    def spelled(self) -> bytes:
        parts = urlsplit(self.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        fields = {"host": parts.netloc, **self.fields}
        if self.body is not None:
            fields["content-length"] = str(len(self.body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        method = self.method or ("GET" if self.body is None else "POST")
        return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + (self.body or b"")


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did under a load."""

    answers: int
    seconds: float
    body_bytes: int
    p50_ms: float
    p99_ms: float
    cpu_s: float = 0
    """What the server took of the processor."""

    @property
    def rate(self) -> float:
        """Tell how many answers came a second."""
        return self.answers / self.seconds


class Client:
    """Asks from a process of its own. Raises `WrongAnswer` at the first that is not as asked."""

    def __enter__(self) -> Self:
        self._process = ProcessPoolExecutor(1, get_context("spawn"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.shutdown()

    def ask_for(self, question: Question, connections: int, seconds: float) -> Load:
        """Ask the same for so long."""
        return self._process.submit(_run, [question], connections, seconds).result()

    def ask_all(self, questions: Sequence[Question], connections: int) -> Load:
        """Ask each question once, in order."""
        return self._process.submit(_run, questions, connections, None).result()


class WrongAnswer(Exception):
    """An answer that is not worth measuring."""


def _run(questions: Sequence[Question], connections: int, seconds: float | None) -> Load:
    return uvloop.run(_ask(questions, connections, seconds))


async def _ask(questions: Sequence[Question], connections: int, seconds: float | None) -> Load:
    spelled = [_Spelled(question) for question in questions]
    turns = iter(spelled) if seconds is None else cycle(spelled)
    asking = [await _connect(questions[0].url, turns) for _ in range(connections)]
    start_s = perf_counter()
    for one in asking:
        one.ask()
    done, _ = await asyncio.wait([one.is_done for one in asking], timeout=seconds)
    seconds = perf_counter() - start_s
    for one in asking:
        one.close()
    for future in done:
        future.result()
    waits_s = [wait_s for one in asking for wait_s in one.waits_s]
    if not waits_s:
        raise WrongAnswer(f"none within {seconds:.1f} s")
    cuts = quantiles(waits_s, n=100) if len(waits_s) > 1 else waits_s * 99
    body_bytes = sum(one.body_bytes for one in asking)
    return Load(len(waits_s), seconds, body_bytes, 1000 * cuts[49], 1000 * cuts[98])


async def _connect(url: str, turns: Iterator["_Spelled"]) -> "_Asking":
    host = urlsplit(url)
    _, asking = await asyncio.get_running_loop().create_connection(
        lambda: _Asking(turns), host.hostname or "", host.port or 80
    )
    return asking


class _Spelled:
    """A question as it goes over the wire."""

    def __init__(self, question: Question) -> None:
        self.sent = question.spelled()
        self.status_line = b"HTTP/1.1 %d " % question.status
        self.is_bodiless = question.status == _BODILESS


class _Asking(asyncio.Protocol):
    """One connection."""

    def __init__(self, turns: Iterator[_Spelled]) -> None:
        self.is_done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waits_s: list[float] = []
        self.body_bytes = 0
        self._turns = turns
        self._head = bytearray()
        self._missing_bytes = 0
        self._is_in_body = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self) -> None:
        turn = next(self._turns, None)
        if turn is None:
            self.is_done.set_result(None)
            return
        self._turn = turn
        self._asked_s = perf_counter()
        self._transport.write(turn.sent)

    def close(self) -> None:
        if not self.is_done.done():
            self.is_done.set_result(None)
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        if self._is_in_body:
            self._missing_bytes -= len(data)
        else:
            self._head += data
            self._read_head()
        if self._is_in_body and not self._missing_bytes:
            self._is_in_body = False
            self._head.clear()
            self.waits_s.append(perf_counter() - self._asked_s)
            self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection ended: {exc}")

    def _read_head(self) -> None:
        end = self._head.find(_HEAD_END)
        if end < 0:
            return
        end += len(_HEAD_END)
        length = _LENGTH.search(self._head, 0, end)
        if not self._head.startswith(self._turn.status_line):
            self._fail(bytes(self._head).decode("latin-1"))
        elif length is None and not self._turn.is_bodiless:
            self._fail("an answer without a length")
        else:
            body_bytes = 0 if self._turn.is_bodiless or length is None else int(length[1])
            self.body_bytes += body_bytes
            self._missing_bytes = end + body_bytes - len(self._head)
            self._is_in_body = True

    def _fail(self, why: str) -> None:
        if not self.is_done.done():
            self.is_done.set_exception(WrongAnswer(why))
            self._transport.close()
