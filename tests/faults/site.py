"""A service on an S3 and a Redis that can be made to fail."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from asgilook import sandbox
from tests import servers
from tests.cdn import api
from tests.e2e.steps import eventually
from tests.faults.proxy import Proxy, proxied
from tests.faults.redis_place import Form, RedisPlace, alone
from tests.faults.wishes import SETTINGS
from tests.load.memory import family_mib
from tests.scrape import Admin

BUCKET = "faults"
PLENTY = {
    "TRUSTED_PROXIES": "direct",
    "RATE_LIMIT_UPLOADS": "1000000/minute",
    "RATE_LIMIT_BYTES": "1000G/hour",
    "RATE_LIMIT_RENDERING": "1000000/minute",
}
"""Quotas that Redis counts, and nobody uses up."""
UNDER_WAY = ("asgilook_renders_in_progress", "asgilook_render_queue_depth")


@dataclass(frozen=True)
class Plan:
    """How a site is built."""

    workers: int = 1
    redis: Form = alone

    def __str__(self) -> str:
        """Name it in a word or two."""
        return f"{self.workers} on a Redis {self.redis.__name__}"


@dataclass
class Site:
    """What runs."""

    plan: Plan
    options: servers.ServiceOptions
    s3: Proxy
    redis: RedisPlace
    running: ExitStack
    service: servers.Service = field(init=False)
    seen: list[str] = field(default_factory=list)
    """What else there is to tell of a fault."""
    broken: list[str] = field(default_factory=list)
    """What else was not as it should be."""

    def start(self) -> None:
        """Start the service, where it was before; return when all its workers are there."""
        self.service = self.running.enter_context(servers.service(self.options))
        self.wait_for_workers(self.plan.workers)

    def wait_for_workers(self, count: int) -> None:
        """Wait until so many have started, ever."""
        assert eventually(lambda: self.service.log.count("Application startup complete.") >= count)

    def workers(self) -> list[int]:
        """List the processes right below the first, the oldest first."""
        pid = self.service.process.pid
        tasks = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in tasks.split()]

    def open_files(self) -> int:
        """Count what the processes of the service have open that answer, sockets included.

        Those that work on pictures are made when they are needed, and ended when they are old.
        """
        return sum(
            len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - counted, not read
            for pid in family_mib(self.service.process.pid)
            if _answers(pid)
        )

    def under_way(self) -> int:
        """Count the pictures that have a slot, or wait for one."""
        admin = Admin(int(self.options.settings["ADMIN_PORT"]))
        return int(sum(admin.total(name) for name in UNDER_WAY))

    @property
    def spooled(self) -> list[Path]:
        """List the uploads that lie on the disk while they come in."""
        folder = Path(self.options.environment["TMPDIR"])
        return [path for path in folder.glob("asgilook-*") if path.is_file()]


def _answers(pid: int) -> bool:
    try:
        return sandbox.__name__.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False  # it has ended


@contextmanager
def site(plan: Plan) -> Iterator[Site]:
    """Run a service behind whose back everything can fail."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        spool = folder / "spool"
        spool.mkdir()
        s3_url = running.enter_context(servers.seaweedfs(folder))
        servers.make_bucket(s3_url, BUCKET)
        s3 = running.enter_context(proxied(s3_url))
        redis = running.enter_context(plan.redis(folder))
        cdn = running.enter_context(api.fastly())
        settings = {
            **SETTINGS,
            **PLENTY,
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT_URL": s3.url,
            "REDIS_URL": redis.url,
            "CDN": "fastly",
            "CDN_ID": "suite",
            "CDN_TOKEN": api.TOKEN,
            "CDN_URL": cdn.url,
            "ADMIN_PORT": str(servers.free_port()),
        }
        options = servers.ServiceOptions(
            folder,
            settings,
            ("--no-access-log", "--workers", str(plan.workers)),
            {"TMPDIR": str(spool)},
        )
        place = Site(plan, options, s3, redis, running)
        place.start()
        yield place
