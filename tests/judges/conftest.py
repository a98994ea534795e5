"""What the judges are shown: a service started as the README says, with a picture in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import pictures, servers
from tests.servers import ServiceOptions


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("judged")


@pytest.fixture(scope="session")
def service_url(storage: Path) -> Iterator[str]:
    with servers.service(ServiceOptions(storage)) as service:
        yield service.url


@pytest.fixture
def client(service_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service_url, timeout=60) as one:
        yield one


@pytest.fixture(scope="session")
def picture() -> bytes:
    return pictures.upload()


@pytest.fixture
def view(client: httpx.Client, picture: bytes) -> dict[str, Any]:
    """Give the JSON of an image that is there."""
    made = client.post("/images", content=picture, headers={"content-type": "image/jpeg"})
    assert made.status_code == 201, made.text
    one: dict[str, Any] = made.json()
    return one


@pytest.fixture
def original(view: dict[str, Any]) -> str:
    return str(view["image"])


@pytest.fixture
def thumbnail(view: dict[str, Any]) -> str:
    return str(view["thumbnails"][0])


@pytest.fixture
def things(view: dict[str, Any], original: str, thumbnail: str) -> list[str]:
    """Give the paths of all that an image comes in, and of a listing with it."""
    return [original, thumbnail, f"/images/{view['id']}", "/images?limit=3"]
