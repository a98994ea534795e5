"""A store of every kind that there is, for what they all have to do alike."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from asgilook.metrics import Meter
from asgilook.store import Store
from asgilook.store.files import FileStore
from asgilook.store.metered import MeteredStore
from asgilook.store.s3 import Bucket, S3Store
from tests.contracts.steps import PATIENCE_S
from tests.fakes import MemoryStore
from tests.rooms import opened


def in_memory(request: pytest.FixtureRequest) -> Store:
    return MemoryStore()


def in_a_folder(request: pytest.FixtureRequest) -> Store:
    folder: Path = request.getfixturevalue("tmp_path")
    return FileStore(folder / "not there yet")


def on_moto(request: pytest.FixtureRequest) -> Store:
    bucket: Bucket = request.getfixturevalue("moto_bucket")
    return MeteredStore(S3Store(bucket, PATIENCE_S), Meter())


def on_seaweedfs(request: pytest.FixtureRequest) -> Store:
    bucket: Bucket = request.getfixturevalue("seaweedfs_bucket")
    return S3Store(bucket, PATIENCE_S)


@pytest.fixture(params=[in_memory, in_a_folder, on_moto, on_seaweedfs])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """Give a store that is open, one kind after the other."""
    make: Callable[[pytest.FixtureRequest], Store] = request.param
    async with opened(make(request)) as made:
        yield made
