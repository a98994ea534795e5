"""When a body is asked for, how long it may take, and what comes of one that breaks off."""

import time
from collections.abc import Iterator
from pathlib import Path
from resource import RLIMIT_FSIZE, prlimit

import httpx
import pytest

from tests import servers
from tests.e2e.steps import eventually
from tests.servers import Service, ServiceOptions
from tests.wire.raw import PICTURE, Wire, request, upload

EXPECT = "Expect: 100-continue"
LONG = 30_000_000
REFUSED = {
    413: upload(EXPECT, f"Content-Length: {LONG}"),
    415: request("POST", "/images", EXPECT, "Content-Type: text/html", "Content-Length: 9"),
    403: upload(EXPECT, "Content-Length: 9", "X-Forwarded-For: 198.51.100.7"),
    404: request("POST", "/nothing", EXPECT, "Content-Length: 9"),
    405: request("PUT", "/images", EXPECT, "Content-Length: 9"),
    417: upload("Expect: the-unexpected", "Content-Length: 9"),
}

HALF = PICTURE[: len(PICTURE) // 2]
CHUNKED = upload("Transfer-Encoding: chunked")
CHUNK = b"%x\r\n%b\r\n" % (len(PICTURE), PICTURE)
FORM_HEAD = request(
    "POST", "/images", "Content-Type: multipart/form-data; boundary=b", f"Content-Length: {LONG}"
)
PART_HEAD = b"--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n"
CUT = {
    "half of what is announced": upload(f"Content-Length: {len(PICTURE)}") + HALF,
    "all but a byte": upload(f"Content-Length: {len(PICTURE) + 1}") + PICTURE,
    "half a chunk": CHUNKED + CHUNK[: len(CHUNK) // 2],
    "no last chunk": CHUNKED + CHUNK,
    "half of the last chunk": CHUNKED + CHUNK + b"0\r\n",
    "half of the first file": FORM_HEAD + PART_HEAD + HALF,
    "half of the second file": FORM_HEAD + PART_HEAD + PICTURE + b"\r\n" + PART_HEAD + HALF,
    "between two files": FORM_HEAD + PART_HEAD + PICTURE + b"\r\n--b",
}


@pytest.mark.parametrize("status", REFUSED)
def test_what_its_head_rules_out_is_refused_before_the_body_is_asked_for(
    url: str, status: int
) -> None:
    with Wire(url) as wire:
        wire.send(REFUSED[status])
        answer = wire.answer()
        assert answer.status == status
        assert answer.is_last


def test_a_body_that_is_wanted_is_asked_for(url: str) -> None:
    with Wire(url) as wire:
        wire.send(upload(EXPECT, f"Content-Length: {len(PICTURE)}"))
        assert wire.answer().status == 100
        wire.send(PICTURE)
        assert wire.answer().status == 201
        assert wire.get("/images").status == 200


def test_an_old_client_is_not_told_to_continue(url: str) -> None:
    with Wire(url) as wire:
        wire.send(upload(EXPECT, f"Content-Length: {len(PICTURE)}", version="1.0"), PICTURE)
        assert wire.answer().status == 201


@pytest.mark.parametrize("pause_s", [0, 0.5], ids=["at once", "slowly"])
def test_a_refusal_reaches_a_client_that_goes_on_sending_its_whole_body(
    url: str, pause_s: float
) -> None:
    pieces = 6
    with Wire(url) as wire:
        wire.send(upload(f"Content-Length: {LONG}"))
        for _ in range(pieces):
            wire.send(b"a" * (LONG // pieces))
            time.sleep(pause_s)
        assert wire.answer().status == 413
        assert wire.rest() == b""


@pytest.mark.parametrize("length", [f"Content-Length: {LONG}", "Transfer-Encoding: chunked"])
def test_a_body_that_pauses_is_not_waited_for(hasty_url: str, length: str) -> None:
    with Wire(hasty_url) as wire:
        wire.send(upload(length), b"5\r\nabcde\r\n")
        answer = wire.answer()
        assert (answer.status, answer.code) == (408, "upload-too-slow")
        assert answer.is_last
        assert wire.rest() == b""


def test_a_body_that_trickles_in_is_not_waited_for(hasty_url: str) -> None:
    with Wire(hasty_url) as wire:
        wire.send(upload(f"Content-Length: {LONG}"))
        wire.send_until_refused(b"a", pause_s=0.1)
        assert wire.answer().status == 408


@pytest.fixture(scope="module")
def temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def empty_service(
    tmp_path_factory: pytest.TempPathFactory, temporary_folder: Path
) -> Iterator[Service]:
    """Start a service that is to stay empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary_folder))
        with servers.service(ServiceOptions(tmp_path_factory.mktemp("empty"))) as service:
            yield service


@pytest.mark.parametrize("sent", CUT.values(), ids=CUT)
def test_a_body_that_breaks_off_leaves_nothing(
    empty_service: Service, temporary_folder: Path, sent: bytes
) -> None:
    before = empty_service.log.count("POST /images 400")
    with Wire(empty_service.url) as wire:
        wire.send(sent)
    assert eventually(lambda: empty_service.log.count("POST /images 400") > before)
    assert httpx.get(f"{empty_service.url}/images").json() == []
    assert list(empty_service.log_path.parent.rglob("*.jpeg")) == []
    assert list(temporary_folder.iterdir()) == []


def test_a_disk_that_is_full_is_trouble_that_passes(tmp_path: Path) -> None:
    with servers.service(ServiceOptions(tmp_path)) as service, Wire(service.url) as wire:
        # To a process it is all the same whether a file may not grow or cannot.
        pid = service.process.pid
        usual = prlimit(pid, RLIMIT_FSIZE)
        prlimit(pid, RLIMIT_FSIZE, (len(PICTURE) - 1, usual[1]))
        wire.send(upload(f"Content-Length: {len(PICTURE)}"), PICTURE)
        answer = wire.answer()
        assert (answer.status, answer.code) == (503, "store-unavailable")
        prlimit(pid, RLIMIT_FSIZE, usual)
        assert wire.add()["id"] in wire.get("/images").body.decode()
        assert "Traceback" not in service.log


def receiving(folder: Path, wire: Wire) -> Path:
    """Send half an upload; give the file that it waits in."""
    before = set(folder.iterdir())
    wire.send(upload(f"Content-Length: {len(PICTURE)}") + HALF)
    assert eventually(lambda: set(folder.iterdir()) > before)
    (path,) = set(folder.iterdir()) - before
    return path


def test_what_a_killed_service_was_receiving_goes_with_the_next_start_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, options = tmp_path / "temporary", ServiceOptions(tmp_path)
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with servers.service(options) as living, Wire(living.url) as served:
        in_use = receiving(temporary, served)
        with servers.service(ServiceOptions(tmp_path)) as killed, Wire(killed.url) as cut:
            left = receiving(temporary, cut)
            killed.process.kill()
            killed.process.wait()
        others = temporary / "asgilook-upload-link"
        others.symlink_to(tmp_path)
        assert left.exists()
        with servers.service(ServiceOptions(tmp_path)):
            assert set(temporary.iterdir()) == {in_use, others}
        served.send(PICTURE[len(HALF) :])
        assert served.answer().status == 201
    assert list(temporary.iterdir()) == [others]
