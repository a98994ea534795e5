"""A photograph in every size and format, on every combination of store and cache."""

import httpx
import pytest

from tests import pictures
from tests.e2e.steps import SIZE, Start, upload


@pytest.fixture(params=["folder", "s3"])
def store_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    settings: dict[str, str] = request.getfixturevalue(f"{request.param}_settings")
    return settings


@pytest.fixture(params=["memory", "redis"])
def cache_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    settings: dict[str, str] = request.getfixturevalue(f"{request.param}_settings")
    return settings


def test_a_photograph_comes_back_in_every_size_and_format(
    start: Start,
    store_settings: dict[str, str],
    cache_settings: dict[str, str],
    client: httpx.Client,
) -> None:
    service = start({**store_settings, **cache_settings})
    view = upload(client, service)
    original = client.get(f"{service.url}{view['image']}").content
    assert list(pictures.decode(original).size) == view["size"] == list(SIZE)
    assert len(original) == view["bytes"]

    sizes = [path.rpartition("/")[2].removesuffix(".jpeg") for path in view["thumbnails"]]
    assert sizes == ["800x600", "400x300", "200x150", "100x75"]
    for size in sizes:
        for extension in ("jpeg", "webp", "avif"):
            url = f"{service.url}/thumbnails/{view['id']}/{size}.{extension}"
            first, second = client.get(url), client.get(url)
            assert first.headers["content-type"] == f"image/{extension}"
            assert "{}x{}".format(*pictures.decode(first.content).size) == size
            assert second.headers["x-asgilook-cache"] == "Hit"
            assert second.content == first.content
