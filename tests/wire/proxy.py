"""A proxy between the service and its bucket: it counts, and fails where it is told to."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

PIECE_BYTES = 16 * 1024


class Proxy:
    """Passes bytes on in both directions, as fast as they are taken and no faster."""

    def __init__(self, target_url: str) -> None:
        self._target = urlsplit(target_url)
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop
        self._started = threading.Event()
        self.url = ""
        self.pulled_bytes = 0
        """How much the service has been given of the bucket's answers."""
        self.cut_after_bytes: int | None = None
        """After how much of its answers a connection is cut."""
        self.is_down = False
        """Whether connections are cut as soon as they say anything."""

    def start(self) -> None:
        """Run in a thread of its own until `stop`; return when connections are taken."""
        self._thread = threading.Thread(target=asyncio.run, args=[self._run()])
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Cut all connections, and end the thread."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        self._started.set()
        await self._ended.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self._target.hostname, self._target.port)
        ways = [
            asyncio.create_task(self._pass_requests(reader, there[1])),
            asyncio.create_task(self._pass_answers(there[0], writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (writer, there[1]):
                end.transport.abort()

    async def _pass_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while (piece := await reader.read(PIECE_BYTES)) and not self.is_down:
                writer.write(piece)
                await writer.drain()

    async def _pass_answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        passed_bytes = 0
        with suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                if self.cut_after_bytes is not None and passed_bytes >= self.cut_after_bytes:
                    return
                writer.write(piece)
                await writer.drain()
                passed_bytes += len(piece)
                self.pulled_bytes += len(piece)


@contextmanager
def proxied(target_url: str) -> Iterator[Proxy]:
    """Run a proxy for the length of a block."""
    proxy = Proxy(target_url)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
