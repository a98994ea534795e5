"""What the tests of the wire share: services that are used hard, and have to live through it."""

from collections.abc import Iterator

import pytest

from tests import servers
from tests.faults.proxy import Proxy, proxied
from tests.servers import Service, ServiceOptions
from tests.wire.raw import Wire, add_noise

HASTY = {"HEAD_TIMEOUT": "1", "IDLE_TIMEOUT": "2", "UPLOAD_TIMEOUT": "2"}
"""Settings that let a test see each limit at work."""


@pytest.fixture(scope="session")
def patient_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    options = ServiceOptions(tmp_path_factory.mktemp("patient"), {"MAX_UPLOAD_BYTES": "1000000"})
    with servers.service(options) as service:
        yield service


@pytest.fixture(scope="session")
def hasty_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with servers.service(ServiceOptions(tmp_path_factory.mktemp("hasty"), HASTY)) as service:
        yield service


@pytest.fixture(scope="session")
def proxy(seaweedfs_url: str) -> Iterator[Proxy]:
    """Give the proxy between `distant_service` and its bucket."""
    with proxied(seaweedfs_url) as one:
        yield one


@pytest.fixture(scope="session")
def distant_service(
    tmp_path_factory: pytest.TempPathFactory, seaweedfs_url: str, proxy: Proxy
) -> Iterator[Service]:
    servers.make_bucket(seaweedfs_url, "wire")
    settings = {"S3_BUCKET": "wire", "S3_ENDPOINT_URL": proxy.url, "JPEG_QUALITY": "100"}
    with servers.service(ServiceOptions(tmp_path_factory.mktemp("distant"), settings)) as service:
        yield service


@pytest.fixture(scope="session")
def long_path(distant_service: Service) -> str:
    """Give the path of a picture of some 30 MB."""
    return add_noise(distant_service.url, (5000, 3000))


@pytest.fixture
def url(patient_service: Service) -> Iterator[str]:
    """Give the address of a service, and see that it is none the worse for the test."""
    yield from _unharmed(patient_service)


@pytest.fixture
def hasty_url(hasty_service: Service) -> Iterator[str]:
    """Give the address of a service that does not wait long for anything."""
    yield from _unharmed(hasty_service)


def _unharmed(service: Service) -> Iterator[str]:
    before = len(service.log)
    yield service.url
    with Wire(service.url) as wire:
        assert wire.get("/images").status == 200
    assert "Traceback" not in service.log[before:]
    assert " 500 " not in service.log[before:]
