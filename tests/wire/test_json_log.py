"""The log as machines read it: a line of JSON for each thing that happens, and no secret in any."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from asgilook.http.access import hash_key
from asgilook.http.urls import signed_path
from asgilook.image import Format, Size
from asgilook.signing import Signer
from asgilook.variant import Fit, Options
from tests import servers
from tests.e2e.steps import eventually
from tests.servers import Service, ServiceOptions
from tests.wire.raw import PICTURE, Wire, request, upload

CANARY = "canary-7c1d"
KEY = f"{CANARY}-key"
SIGNING_KEY = "5e" * 32
PASSWORD = f"{CANARY}-redis"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@contextlib.contextmanager
def logged(folder: Path, form: str) -> Iterator[Service]:
    """Run a service that logs in this form, if it is one."""
    keys = {"API_KEYS": hash_key(KEY).hex(), "SIGNING_KEYS": SIGNING_KEY}
    with servers.service(ServiceOptions(folder, {**keys, "LOG_FORMAT": form})) as one:
        yield one


@pytest.fixture(scope="module")
def jsonic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Give a service that was not told how to log: no terminal shows what it says."""
    with logged(tmp_path_factory.mktemp("json"), "auto") as one:
        yield one


@pytest.fixture(scope="module")
def textual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with logged(tmp_path_factory.mktemp("text"), "text") as one:
        yield one


@pytest.fixture(params=["jsonic", "textual"])
def service(request: pytest.FixtureRequest) -> Service:
    """Give a service of either form."""
    one: Service = request.getfixturevalue(request.param)
    return one


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Give a service that reaches neither its bucket nor its Redis."""
    nowhere = f"127.0.0.1:{servers.free_port()}"
    settings = {
        "S3_BUCKET": "nowhere",
        "S3_ENDPOINT_URL": f"http://{nowhere}",
        "REDIS_URL": f"redis://:{PASSWORD}@{nowhere}/0",
        "LOG_FORMAT": "json",
    }
    with servers.service(ServiceOptions(tmp_path_factory.mktemp("troubled"), settings)) as one:
        yield one


def lines(service: Service) -> list[dict[str, Any]]:
    """Read the log; each of its lines has to be JSON."""
    return [json.loads(line) for line in service.log.splitlines()]


def line_of(service: Service, request_id: str) -> dict[str, Any]:
    assert eventually(lambda: f'"request_id":"{request_id}"' in service.log)
    [line] = [each for each in lines(service) if each.get("request_id") == request_id]
    return line


def ask(service: Service, path: str, request_id: str, *fields: str, method: str = "GET") -> int:
    with Wire(service.url) as wire:
        wire.send(request(method, path, f"X-Request-Id: {request_id}", *fields))
        return wire.answer().status


def add(service: Service, *fields: str) -> str:
    with Wire(service.url) as wire:
        length = f"Content-Length: {len(PICTURE)}"
        wire.send(upload(f"Authorization: Bearer {KEY}", length, *fields))
        wire.send(PICTURE)
        return wire.answer().image_id


def test_each_request_is_a_line_that_tells_all_of_it(jsonic: Service) -> None:
    path = f"/images/{add(jsonic)}.jpeg"
    assert ask(jsonic, path, "one-read", f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01") == 200
    line = line_of(jsonic, "one-read")
    assert line.pop("time") > "2026"
    assert line.pop("ms") >= line.pop("spent_ms")["files"] > 0
    assert line == {
        "level": "info",
        "logger": "asgilook.access",
        "method": "GET",
        "path": path,
        "route": "/images/{image_id}.jpeg",
        "status": 200,
        "bytes": line["bytes"],
        "complete": True,
        "request_id": "one-read",
        "trace_id": TRACE,
    }
    assert line["bytes"] > 0


@pytest.mark.parametrize(
    ("path", "route"),
    [("/images?limit=1", "/images"), ("/nothing", "unmatched"), ("/healthz", "/healthz")],
)
def test_a_route_is_named_by_its_template(jsonic: Service, path: str, route: str) -> None:
    request_id = f"route{route.replace('/', '-')}"
    ask(jsonic, path, request_id)
    assert line_of(jsonic, request_id)["route"] == route


def test_a_hit_has_its_route_as_well(jsonic: Service) -> None:
    with Wire(jsonic.url) as wire:
        path = json.loads(wire.get(f"/images/{add(jsonic)}").body)["thumbnails"][0]
    assert ask(jsonic, path, "the-hit") == 200
    line = line_of(jsonic, "the-hit")
    assert line["route"] == "/thumbnails/{image_id}/{size}.{kind}"
    assert "trace_id" not in line


def test_a_traceparent_that_is_none_is_not_repeated(jsonic: Service) -> None:
    assert ask(jsonic, "/images", "no-trace", f"traceparent: {CANARY}") == 200
    assert "trace_id" not in line_of(jsonic, "no-trace")


def test_no_path_makes_a_line_of_its_own(jsonic: Service) -> None:
    assert ask(jsonic, "/a%0a%7b%7d%0d%1b%5b31m%c2%85%e2%80%a8%00z", "a-strange-path") == 404
    assert line_of(jsonic, "a-strange-path")["path"].startswith("/a\\n{}\\r\\x1b[31m\\x85")


def test_what_goes_wrong_is_a_line_as_well(troubled: Service) -> None:
    assert ask(troubled, "/images", "no-bucket") == 503
    assert line_of(troubled, "no-bucket")["status"] == 503
    loggers = {line["logger"]: line for line in lines(troubled)}
    assert {"asgilook.cli", "uvicorn.error", "asgilook.http.problems"} <= loggers.keys()
    assert all({"time", "level", "logger"} <= line.keys() for line in lines(troubled))


def test_no_line_tells_a_secret(service: Service) -> None:
    image_id = add(service, f"Cookie: {CANARY}", f"X-Api-Key: {CANARY}")
    path = signed_path(
        Signer([SIGNING_KEY]),
        Options(Fit.COVER, None, 1, None),
        UUID(image_id),
        Size(100, 80),
        Format.JPEG,
    )
    signature = path.split("/")[2]
    fields = [
        f"Authorization: Bearer {CANARY}",
        f"Authorization: Basic {CANARY}",
        f"Cookie: session={CANARY}",
        f"Referer: http://localhost/?token={CANARY}",
        f"traceparent: {CANARY}",
        f"tracestate: {CANARY}",
        f"Idempotency-Key: {CANARY} \x85",
        f"X-Forwarded-For: {CANARY}",
        f"Content-Digest: {CANARY}",
        f"If-None-Match: {CANARY}",
        f"Range: {CANARY}",
    ]
    targets = [
        f"/images?key={CANARY}",
        f"/images?limit={CANARY}",
        path,
        f"{path}?{CANARY}",
        f"{path}.no",
        f"/signed/{CANARY}/a,b/{image_id}/9x9.jpeg",
        f"http://localhost{path}",
    ]
    for method in ("GET", "HEAD", "POST", "DELETE", "BREW"):
        for target in targets:
            for field in fields:
                with Wire(service.url) as wire:
                    wire.send(request(method, target, field, "Connection: close"))
                    wire.rest()
    with Wire(service.url) as wire:
        wire.send(f"GET /images?{CANARY} HTTP/1.1\r\n{CANARY}\r\n\r\n".encode())
    ask(service, "/images", "the-last-of-all")
    assert eventually(lambda: "the-last-of-all" in service.log)
    for secret in (CANARY, signature, SIGNING_KEY, servers.SECRET_KEY, hash_key(KEY).hex()):
        assert secret not in service.log, secret


def test_no_secret_of_bucket_and_redis_is_told_when_they_fail(troubled: Service) -> None:
    ask(troubled, "/images", "no-bucket-again")
    assert eventually(lambda: "no-bucket-again" in troubled.log)
    assert servers.SECRET_KEY not in troubled.log
    assert PASSWORD not in troubled.log
