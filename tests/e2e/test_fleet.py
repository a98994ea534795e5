"""Two processes that share nothing but a bucket and a Redis."""

import httpx
import pytest

from tests import servers
from tests.e2e.steps import Start, eventually, upload
from tests.servers import Service


@pytest.fixture
def pair(
    start: Start, s3_settings: dict[str, str], redis_settings: dict[str, str]
) -> tuple[Service, Service]:
    settings = {**s3_settings, **redis_settings}
    return start(settings), start(settings)


def test_what_one_process_takes_the_other_has(
    pair: tuple[Service, Service], client: httpx.Client
) -> None:
    one, other = pair
    view = upload(client, one)

    assert client.get(f"{other.url}/images").json() == [view]
    assert client.get(f"{other.url}/images/{view['id']}").json() == view
    for path in (view["image"], *view["thumbnails"]):
        mine, theirs = client.get(f"{one.url}{path}"), client.get(f"{other.url}{path}")
        assert mine.status_code == theirs.status_code == 200
        assert mine.content == theirs.content
        assert mine.headers["etag"] == theirs.headers["etag"]
        if path != view["image"]:
            assert theirs.headers["x-asgilook-cache"] == "Hit"


def test_what_one_process_deletes_is_gone_from_the_other(
    pair: tuple[Service, Service], client: httpx.Client
) -> None:
    one, other = pair
    view = upload(client, one)
    paths = [view["image"], f"/images/{view['id']}", *view["thumbnails"]]
    for service in pair:
        # Each has the thumbnails in its own memory now.
        assert [client.get(f"{service.url}{path}").status_code for path in paths] == [
            200 for _ in paths
        ]

    assert client.delete(f"{other.url}/images/{view['id']}").status_code == 204

    for service in pair:

        def is_gone(url: str = service.url) -> bool:
            return all(client.get(f"{url}{path}").status_code == 410 for path in paths)

        assert eventually(is_gone)
        assert client.get(f"{service.url}/images").json() == []
        assert client.delete(f"{service.url}/images/{view['id']}").status_code == 410


def test_without_its_redis_a_process_goes_on(
    start: Start, s3_settings: dict[str, str], client: httpx.Client
) -> None:
    with servers.valkey() as redis_url:
        service = start({**s3_settings, "REDIS_URL": redis_url, "MEMORY_CACHE_BYTES": "0"})
        earlier = upload(client, service)
    later = upload(client, service)

    assert client.get(f"{service.url}/readyz").status_code == 200
    for view in (earlier, later):
        thumbnail = client.get(f"{service.url}{view['thumbnails'][0]}")
        assert thumbnail.status_code == 200
        assert thumbnail.headers["x-asgilook-cache"] == "Miss"
        assert client.delete(f"{service.url}/images/{view['id']}").status_code == 204
