"""How long an answer waits to be taken."""

import time
from collections.abc import Iterator

import pytest

from tests import servers
from tests.e2e.steps import eventually
from tests.servers import Service, ServiceOptions
from tests.wire.raw import Wire, add_noise, request

SHORT_BUFFER_BYTES = 32 * 1024
SIP_BYTES = 64 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {"WRITE_TIMEOUT": "3", "IDLE_TIMEOUT": "4", "JPEG_QUALITY": "100"}
    with servers.service(ServiceOptions(tmp_path_factory.mktemp("writing"), settings)) as one:
        yield one


@pytest.fixture(scope="module")
def path(service: Service) -> str:
    return add_noise(service.url, (3000, 2000))


def test_a_reader_who_takes_nothing_is_dropped(service: Service, path: str) -> None:
    with Wire(service.url, SHORT_BUFFER_BYTES) as wire:
        length = wire.start_reading(path)
        before = service.log.count(" cut ")
        assert eventually(lambda: service.log.count(" cut ") > before)
        assert len(wire.rest()) < length - SIP_BYTES


def test_a_reader_who_sips_gets_it_all(service: Service, path: str) -> None:
    with Wire(service.url, SHORT_BUFFER_BYTES) as wire:
        wire.send(request("GET", path))
        sip_it_all(wire)
        assert wire.get("/healthz").status == 200


def test_a_reader_who_sips_is_not_idle_whatever_came_before(service: Service, path: str) -> None:
    with Wire(service.url, SHORT_BUFFER_BYTES) as wire:
        hit = wire.add()["thumbnails"][0]
        wire.send(request("GET", hit), request("GET", path))
        assert wire.answer().status == 200
        sip_it_all(wire)


def sip_it_all(wire: Wire) -> None:
    status, fields = wire.answer_head()
    assert status == 200
    left = int(fields["content-length"])
    for _ in range(25):
        time.sleep(0.2)
        left -= len(wire.take(SIP_BYTES))
    assert len(wire.take(left)) == left
