"""The polite end: what is under way is finished, in bounded time, and nothing new begins."""

import errno
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import servers
from tests.e2e.steps import eventually
from tests.servers import Service, ServiceOptions
from tests.wire.raw import PATIENCE_S, PICTURE, Wire, add_noise, request, upload

SHORT_BUFFER_BYTES = 32 * 1024
SIZE = (2000, 1500)

WORKERS = pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=" ".join)


def _options(folder: Path, arguments: tuple[str, ...], shutdown_timeout_s: int) -> ServiceOptions:
    settings = {"JPEG_QUALITY": "100", "SHUTDOWN_TIMEOUT": str(shutdown_timeout_s)}
    return ServiceOptions(folder, settings, arguments)


def _end(service: Service) -> None:
    """Send the signal, and wait until the end has begun."""
    service.process.send_signal(signal.SIGTERM)
    assert eventually(lambda: "Shutting down" in service.log)
    assert eventually(lambda: _refuses(service.url))


def _refuses(url: str) -> bool:
    where = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((where.hostname, where.port)) == errno.ECONNREFUSED


@WORKERS
def test_a_transfer_is_finished_and_nobody_else_is_let_in(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with servers.service(_options(tmp_path, arguments, PATIENCE_S)) as service:
        path = add_noise(service.url, SIZE)
        with Wire(service.url, SHORT_BUFFER_BYTES) as reader, Wire(service.url) as idle:
            assert idle.get("/healthz").status == 200
            length = reader.start_reading(path)
            _end(service)
            assert idle.rest() == b""
            assert len(reader.take(length)) == length - 1000
            assert reader.rest() == b""
        assert service.process.wait(PATIENCE_S) == 0


@WORKERS
def test_what_is_on_its_way_when_the_end_begins_is_answered(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with servers.service(_options(tmp_path, arguments, PATIENCE_S)) as service:
        path = add_noise(service.url, SIZE)
        with (
            Wire(service.url, SHORT_BUFFER_BYTES) as reader,
            Wire(service.url) as idle,
            Wire(service.url) as newcomer,
        ):
            assert idle.get("/healthz").status == 200
            length = reader.start_reading(path)
            _end(service)
            for wire in (idle, newcomer):
                wire.send(upload(f"Content-Length: {len(PICTURE)}"), PICTURE)
            reader.take(length - 1000)
            reader.send(upload(f"Content-Length: {len(PICTURE)}"), PICTURE)
            for wire in (idle, newcomer, reader):
                made = wire.answer()
                assert (made.status, made.is_last) == (201, True)
        assert service.process.wait(PATIENCE_S) == 0


@WORKERS
def test_an_upload_is_finished(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with servers.service(_options(tmp_path, arguments, PATIENCE_S)) as service:
        with Wire(service.url) as sender:
            sender.send(upload("Expect: 100-continue", f"Content-Length: {len(PICTURE)}"))
            assert sender.answer().status == 100
            _end(service)
            sender.send(PICTURE)
            made = sender.answer()
            assert made.status == 201
            assert made.is_last
        assert service.process.wait(PATIENCE_S) == 0
    with servers.service(_options(tmp_path, (), PATIENCE_S)) as again, Wire(again.url) as wire:
        assert wire.get(f"/images/{made.image_id}").status == 200


@WORKERS
def test_nobody_who_stalls_holds_the_end_up(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with servers.service(_options(tmp_path, arguments, 1)) as service:
        path = add_noise(service.url, SIZE)
        with (
            Wire(service.url, SHORT_BUFFER_BYTES) as reader,
            Wire(service.url) as sender,
            Wire(service.url) as newcomer,
        ):
            reader.start_reading(path)
            sender.send(upload("Expect: 100-continue", "Content-Length: 9"))
            assert sender.answer().status == 100
            newcomer.send(request("GET", "/images").removesuffix(b"\r\n"))
            service.process.send_signal(signal.SIGTERM)
            refusal = sender.answer()
            assert (refusal.status, refusal.code) == (503, "overloaded")
            assert refusal.fields["retry-after"]
            assert service.process.wait(PATIENCE_S) == 0
        assert "Traceback" not in service.log
