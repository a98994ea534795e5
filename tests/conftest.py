"""What the whole suite shares: servers, started once, and an environment free of settings."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

from asgilook.store.s3 import Bucket
from tests import servers

# How long an example takes says something about the machine, not about what it tries.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

LOCAL = ("127.0.0.1", "localhost")
"""What no proxy leads to, though the developer's machine may have one for everything else."""


@pytest.fixture(scope="session", autouse=True)
def _environment() -> Iterator[None]:
    """Run with the suite's credentials, and without any setting of the developer's own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("ASGI_LOOK_", "AWS_", "WEB_CONCURRENCY")):
                patch.delenv(name)
        for name, value in servers.AWS_ENVIRONMENT.items():
            patch.setenv(name, value)
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, ",".join(filter(None, [os.environ.get(name), *LOCAL])))
        yield


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with servers.moto() as url:
        yield url


@pytest.fixture(scope="session")
def seaweedfs_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with servers.valkey() as url:
        yield url


@pytest.fixture(scope="session")
def moto_with_bucket(moto_url: str) -> str:
    servers.make_bucket(moto_url, "contracts")
    return moto_url


@pytest.fixture(scope="session")
def seaweedfs_with_bucket(seaweedfs_url: str) -> str:
    servers.make_bucket(seaweedfs_url, "contracts")
    return seaweedfs_url


@pytest.fixture
def moto_bucket(moto_with_bucket: str) -> Bucket:
    """Give a place of the test's own in moto."""
    return Bucket("contracts", f"{uuid4()}/", moto_with_bucket)


@pytest.fixture
def seaweedfs_bucket(seaweedfs_with_bucket: str) -> Bucket:
    """Give a place of the test's own in SeaweedFS, where each bucket costs a few volumes."""
    return Bucket("contracts", f"{uuid4()}/pictures/", seaweedfs_with_bucket)


@pytest.fixture
def bucket() -> str:
    """Name a bucket: moto's state belongs to the process, so each test has a name of its own."""
    return f"suite-{uuid4().hex[:12]}"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a folder, and look that nothing is left open in it."""
    with contextlib.chdir(tmp_path):
        yield tmp_path


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Name a pipe: opening it waits for the other side, so that both know of each other."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path
