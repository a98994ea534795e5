"""What the tests of the caches share: asgilook, and each cache in front of it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from asgilook.http.access import hash_key
from tests import servers
from tests.caches import programs
from tests.caches.hop import reading_along
from tests.caches.site import Site
from tests.faults.proxy import Proxy, proxied
from tests.servers import ServiceOptions

KEY = "the key of the suite"
SIGNING_KEY = "0123456789abcdef" * 4
BUCKET = "behind-caches"


@pytest.fixture(scope="session")
def store(moto_url: str) -> Iterator[Proxy]:
    servers.make_bucket(moto_url, BUCKET)
    with proxied(moto_url) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def origin_url(store: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT_URL": store.url,
        # Through a cache nobody comes from this machine.
        "API_KEYS": hash_key(KEY).hex(),
        "SIGNING_KEYS": SIGNING_KEY,
    }
    folder = tmp_path_factory.mktemp("origin")
    with servers.service(ServiceOptions(folder, settings)) as service:
        yield service.url


@pytest.fixture(scope="session")
def nginx(
    store: Proxy, origin_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with _site(programs.nginx, tmp_path_factory.mktemp("nginx"), store, origin_url) as site:
        yield site


@pytest.fixture(scope="session")
def varnish(
    store: Proxy, origin_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with _site(programs.varnish, tmp_path_factory.mktemp("varnish"), store, origin_url) as site:
        yield site


@pytest.fixture(params=["nginx", "varnish"])
def site(request: pytest.FixtureRequest) -> Site:
    """Give each cache in turn."""
    one: Site = request.getfixturevalue(request.param)
    return one


@contextmanager
def _site(run: programs.Run, folder: Path, store: Proxy, origin_url: str) -> Iterator[Site]:
    with ExitStack() as stack:
        hop = stack.enter_context(reading_along(origin_url))
        cache_url, clock = stack.enter_context(run(folder, hop.url))
        cache, origin = (stack.enter_context(_client(url)) for url in (cache_url, origin_url))
        yield Site(cache, clock, hop, origin, store)


def _client(url: str) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        headers={"authorization": f"Bearer {KEY}"},
        timeout=60,
        # An idle connection may be closed just when it is used, above all when time leaps.
        limits=httpx.Limits(max_keepalive_connections=0),
    )
