"""A proxy in front of a server, S3 or Redis or another, that fails as it is told to.

It runs in a thread of its own, so that tests with and without an event loop can use it alike.
"""

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

PIECE_BYTES = 16 * 1024


@dataclass(frozen=True)
class Fault:
    """What happens to connections; bytes count from the last word of the client on."""

    refuses: bool = False
    """Whether nobody listens, and those who are connected are thrown out."""
    delay_s: float = 0.0
    """How long each piece of an answer is held up."""
    stall_after_bytes: int | None = None
    """After how much of an answer nothing comes any more; 0 is a server that hangs."""
    reset_after_bytes: int | None = None
    """After how much of an answer the connection is reset."""
    end_after_bytes: int | None = None
    """After how much of an answer the connection is closed in good order."""
    damaged_byte: int | None = None
    """Which byte of an answer is another one."""
    bytes_a_second: float | None = None
    http_answer: bytes | None = None
    """What each HTTP request is answered with, instead of being passed on."""


SOUND = Fault()


class Proxy:
    """Passes bytes on in both directions, as fast as they are taken and no faster; counts them."""

    def __init__(self, target_url: str) -> None:
        self._target = urlsplit(target_url)
        self.fault = SOUND
        """What happens to connections now; `failing` changes it."""
        self._ended = asyncio.Event()
        self._is_started = threading.Event()
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server
        self._loop: asyncio.AbstractEventLoop
        self._port = 0
        self.pulled_bytes = 0
        """How much of the target's answers has been passed on."""
        self.accepted = 0
        """How many connections there have been."""
        self.most_connections = 0
        """How many there have been at once."""
        self.requests = 0
        """How many HTTP requests were answered here."""

    @property
    def url(self) -> str:
        """Give the address that stands for the target's."""
        return f"{self._target.scheme}://127.0.0.1:{self._port}"

    @property
    def open_connections(self) -> int:
        """Count the clients that are connected now."""
        return len(self._connections)

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """Fail for the length of a block; connections that hang then go on doing so after it."""
        self._set(fault)
        try:
            yield
        finally:
            self._set(SOUND)

    def start(self) -> None:
        """Run until `stop`; return when connections are taken."""
        self._thread = threading.Thread(target=asyncio.run, args=[self._run()])
        self._thread.start()
        self._is_started.wait()

    def stop(self) -> None:
        """Cut all connections, and end the thread."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _set(self, fault: Fault) -> None:
        asyncio.run_coroutine_threadsafe(self._change(fault), self._loop).result()

    async def _change(self, fault: Fault) -> None:
        before, self.fault = self.fault, fault
        if fault.refuses:
            self._server.close()
            for connection in self._connections:
                connection.reset()
        elif before.refuses:
            await self._listen()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._listen()
        self._is_started.set()
        await self._ended.wait()
        self._server.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection(self._target.hostname, self._target.port)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(self, (reader, writer), there)
        self.accepted += 1
        self._connections.add(connection)
        self.most_connections = max(self.most_connections, self.open_connections)
        try:
            await connection.serve()
        finally:
            self._connections.discard(connection)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Connection:
    """One client's, and the one to the target that belongs to it."""

    def __init__(self, proxy: Proxy, here: Ends, there: Ends) -> None:
        self._proxy = proxy
        self._here = here
        self._there = there
        self._answered_bytes = 0
        self._request = b""

    async def serve(self) -> None:
        # What is drained has left us, and is not lost when the connection ends.
        self._here[1].transport.set_write_buffer_limits(high=0)
        ways = [asyncio.create_task(way) for way in (self._pass_requests(), self._pass_answers())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            self._there[1].transport.abort()
            self._here[1].transport.abort()

    def reset(self) -> None:
        """Break off without a word (RFC 9293, section 3.10.5)."""
        linger = struct.pack("ii", 1, 0)
        kernel: socket.socket = self._here[1].get_extra_info("socket")
        with suppress(OSError):
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._here[1].transport.abort()

    async def _pass_requests(self) -> None:
        with suppress(OSError):
            while piece := await self._here[0].read(PIECE_BYTES):
                self._answered_bytes = 0
                if self._proxy.fault.reset_after_bytes == 0:
                    self.reset()
                    return
                if self._proxy.fault.http_answer is not None:
                    await self._answer(piece, self._proxy.fault.http_answer)
                    continue
                self._there[1].write(piece)
                await self._there[1].drain()

    async def _answer(self, piece: bytes, answer: bytes) -> None:
        """Answer when the request is complete."""
        self._request += piece
        head, separator, body = self._request.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if separator and not body and b"100-continue" in head:
            self._here[1].write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if separator and len(body) >= (int(length[1]) if length else 0):
            if head.startswith(b"HEAD "):
                answer = answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            self._request = b""
            self._proxy.requests += 1
            self._here[1].write(answer)
            await self._here[1].drain()

    async def _pass_answers(self) -> None:
        with suppress(OSError):
            while piece := await self._there[0].read(PIECE_BYTES):
                if not await self._pass_piece(piece, self._proxy.fault):
                    return
            # The target may end its side while what it refuses is still being sent.
            self._here[1].write_eof()
            await asyncio.Future()

    async def _pass_piece(self, piece: bytes, fault: Fault) -> bool:
        """Pass a piece on, or what the fault leaves of it; tell whether it goes on after that."""
        start, end = self._answered_bytes, self._answered_bytes + len(piece)
        if fault.damaged_byte is not None and start <= fault.damaged_byte < end:
            place = fault.damaged_byte - start
            piece = piece[:place] + bytes([piece[place] ^ 1]) + piece[place + 1 :]
        limits = (fault.stall_after_bytes, fault.reset_after_bytes, fault.end_after_bytes)
        limit = min((limit for limit in limits if limit is not None), default=end)
        passed = piece[: max(0, limit - start)]
        await asyncio.sleep(fault.delay_s + len(passed) / (fault.bytes_a_second or float("inf")))
        self._here[1].write(passed)
        await self._here[1].drain()
        self._answered_bytes = end
        self._proxy.pulled_bytes += len(passed)
        return end <= limit or await self._fail(fault)

    async def _fail(self, fault: Fault) -> bool:
        if fault.stall_after_bytes is not None:
            await asyncio.Future()
        if fault.reset_after_bytes is not None:
            self.reset()
        return False


@contextmanager
def proxied(target_url: str) -> Iterator[Proxy]:
    """Run a proxy for the length of a block."""
    proxy = Proxy(target_url)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
