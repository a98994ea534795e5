"""The stretch of wire between a cache and the origin: it notes what passes."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from httptools import HttpRequestParser, HttpResponseParser

from tests.faults.proxy import Proxy


@dataclass
class Asked:
    """A request that reached the origin, and what became of it."""

    method: str = ""
    target: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    status: int | None = None


class Hop(Proxy):
    """A proxy that reads along."""

    def __init__(self, target_url: str) -> None:
        super().__init__(target_url)
        self.asked: list[Asked] = []
        self.connections = 0
        self.bodies_end_after_bytes: int | None = None
        """After how much of the body of any answer its connection is cut."""

    def statuses(self, target: str) -> list[int | None]:
        """Tell how the origin has answered each request for this."""
        return [one.status for one in self.asked if one.target == target]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        requests = _Requests(self.asked)
        answers = _Answers(requests.unanswered)
        await super()._serve(
            cast(Any, _Tapped(reader, requests.parser.feed_data)),
            cast(Any, _Tapped(writer, lambda piece: self._show_answer(answers, piece))),
        )

    def _show_answer(self, answers: "_Answers", piece: bytes) -> None:
        answers.parser.feed_data(piece)
        limit_bytes = self.bodies_end_after_bytes
        if limit_bytes is not None and answers.body_bytes > limit_bytes:
            raise ConnectionAbortedError


@contextmanager
def reading_along(target_url: str) -> Iterator[Hop]:
    """Run a hop for the length of a block."""
    hop = Hop(target_url)
    hop.start()
    try:
        yield hop
    finally:
        hop.stop()


class _Tapped:
    """One end of a connection: whatever is read from it or written to it is shown as well."""

    def __init__(self, end: Any, show: Callable[[bytes], None]) -> None:
        self._end = end
        self._show = show

    def __getattr__(self, name: str) -> Any:
        return getattr(self._end, name)

    async def read(self, length: int) -> bytes:
        piece: bytes = await self._end.read(length)
        self._show(piece)
        return piece

    def write(self, piece: bytes) -> None:
        self._show(piece)
        self._end.write(piece)


class _Requests:
    """Notes the requests of a connection, called by a parser."""

    def __init__(self, asked: list[Asked]) -> None:
        self.parser = HttpRequestParser(self)
        self.unanswered: deque[Asked] = deque()
        self._asked = asked
        self._one = Asked()

    def on_message_begin(self) -> None:
        self._one = Asked()

    def on_url(self, piece: bytes) -> None:
        self._one.target += piece.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._one.fields[name.decode().lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._one.method = self.parser.get_method().decode()
        self._asked.append(self._one)
        self.unanswered.append(self._one)


class _Answers:
    """Notes the answers. Caches send no HEAD, whose answers would need to be told apart."""

    def __init__(self, unanswered: deque[Asked]) -> None:
        self.parser = HttpResponseParser(self)
        self.body_bytes = 0
        self._unanswered = unanswered

    def on_body(self, piece: bytes) -> None:
        self.body_bytes += len(piece)

    def on_headers_complete(self) -> None:
        self.body_bytes = 0
        status = self.parser.get_status_code()
        if status >= 200:
            self._unanswered.popleft().status = status
