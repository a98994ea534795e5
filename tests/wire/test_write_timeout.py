"""How long an answer waits to be taken."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack

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


@pytest.mark.parametrize("fields", [(), ("Connection: close",)], ids=["kept", "last"])
def test_a_reader_who_takes_nothing_of_the_end_is_dropped(
    service: Service, path: str, fields: tuple[str, ...]
) -> None:
    before = sockets(service)
    with ExitStack() as stalled:
        # How much a kernel takes is its own business: of one of them what is left is little.
        for length in range(64 * 1024, 512 * 1024, 16 * 1024):
            wire = stalled.enter_context(Wire(service.url, SHORT_BUFFER_BYTES))
            wire.send(request("GET", path, f"Range: bytes=0-{length}", *fields))
            assert wire.answer_head()[0] == 206
        assert eventually(lambda: sockets(service) <= before)


def sockets(service: Service) -> set[str]:
    """Name the sockets that a service has open."""
    opened = os.scandir(f"/proc/{service.process.pid}/fd")
    return {name for one in opened if (name := _target(one.path)).startswith("socket:")}


def _target(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - a name, and no path
    except FileNotFoundError:
        return ""


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
