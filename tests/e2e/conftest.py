"""What the end-to-end tests share: real servers, and services on top of them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import servers
from tests.e2e.steps import Start, starting


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start services, which end with the test."""
    with starting(tmp_path) as one:
        yield one


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as one:
        yield one


@pytest.fixture
def folder_settings(tmp_path: Path) -> dict[str, str]:
    return {"STORAGE_PATH": str(tmp_path / "pictures")}


@pytest.fixture
def s3_settings(seaweedfs_url: str, bucket: str) -> dict[str, str]:
    servers.make_bucket(seaweedfs_url, bucket)
    return {"S3_BUCKET": bucket, "S3_ENDPOINT_URL": seaweedfs_url}


@pytest.fixture
def memory_settings() -> dict[str, str]:
    return {}


@pytest.fixture
def redis_settings(redis_url: str) -> dict[str, str]:
    return {"REDIS_URL": redis_url}
