"""A client that asks the same again and again, and costs little beside the server it asks."""

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
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

    def spelled(self) -> bytes:
        parts = urlsplit(self.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        lines = [f"{name}: {value}\r\n" for name, value in self.fields.items()]
        return f"GET {target} HTTP/1.1\r\nhost: {parts.netloc}\r\n{''.join(lines)}\r\n".encode()


class Client:
    """A process of its own that asks over keep-alive connections: one question at a time each."""

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

    def answers_a_second(self, question: Question, connections: int, seconds: float) -> float:
        """Ask for a while. Raises `WrongAnswer` at the first answer that is not as it must be."""
        return self._process.submit(_ask, question, connections, seconds).result()


class WrongAnswer(Exception):
    """An answer that is not worth measuring."""


def _ask(question: Question, connections: int, seconds: float) -> float:
    return uvloop.run(_ask_for(question, connections, seconds))


async def _ask_for(question: Question, connections: int, seconds: float) -> float:
    trouble: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asking = [await _connect(question, trouble) for _ in range(connections)]
    start_s = perf_counter()
    for one in asking:
        one.ask()
    await asyncio.wait([trouble], timeout=seconds)
    rate = sum(one.answers for one in asking) / (perf_counter() - start_s)
    for one in asking:
        one.close()
    if trouble.done():
        trouble.result()
    return rate


async def _connect(question: Question, trouble: "asyncio.Future[None]") -> "_Asking":
    host = urlsplit(question.url)
    _, asking = await asyncio.get_running_loop().create_connection(
        lambda: _Asking(question, trouble), host.hostname or "", host.port or 80
    )
    return asking


class _Asking(asyncio.Protocol):
    """One connection: as soon as an answer is complete it asks again."""

    def __init__(self, question: Question, trouble: "asyncio.Future[None]") -> None:
        self._question = question.spelled()
        self._status_line = b"HTTP/1.1 %d " % question.status
        self._is_bodiless = question.status == _BODILESS
        self._trouble = trouble
        self._received = bytearray()
        self._length = 0
        self._is_over = False
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self) -> None:
        self._transport.write(self._question)

    def close(self) -> None:
        self._is_over = True
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._length:
            self._read_head()
        if self._length and len(self._received) >= self._length:
            self._received.clear()
            self._length = 0
            self.answers += 1
            self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._is_over:
            self._fail(f"the connection ended: {exc}")

    def _read_head(self) -> None:
        end = self._received.find(_HEAD_END)
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end + len(_HEAD_END))
        if not self._received.startswith(self._status_line):
            self._fail(bytes(self._received[:end]).decode("latin-1"))
        elif length is None and not self._is_bodiless:
            self._fail("an answer without a length")
        else:
            body = 0 if self._is_bodiless or length is None else int(length[1])
            self._length = end + len(_HEAD_END) + body

    def _fail(self, why: str) -> None:
        if not self._trouble.done():
            self._trouble.set_exception(WrongAnswer(why))
