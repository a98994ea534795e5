"""Traces, as a collector gets them from a service that runs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from asgilook import config
from asgilook.errors import ConfigError
from tests import servers
from tests.e2e.steps import eventually
from tests.processes import python
from tests.servers import Service, ServiceOptions
from tests.traces.collector import Collector, attributes, collector
from tests.wire.raw import PICTURE, Answer, Wire, request, upload

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
QUERY = "canary-of-the-query"


@pytest.fixture(scope="module")
def heard() -> Iterator[Collector]:
    with collector() as one:
        yield one


@pytest.fixture(scope="module")
def service(
    heard: Collector, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    settings = {
        "TRACES": "true",
        "LOG_FORMAT": "json",
        "REDIS_URL": redis_url,
        "MEMORY_CACHE_BYTES": "0",
    }
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": heard.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    folder = tmp_path_factory.mktemp("traced")
    with servers.service(ServiceOptions(folder, settings, environment=told)) as one:
        yield one


def send(service: Service, request_id: str, head: bytes, body: bytes = b"") -> Answer:
    with Wire(service.url) as wire:
        wire.send(
            head.replace(b"\r\n\r\n", f"\r\nX-Request-Id: {request_id}\r\n\r\n".encode()), body
        )
        return wire.answer()


def add(service: Service, request_id: str) -> str:
    """Add a picture; give the path of a thumbnail."""
    head = upload(f"Content-Length: {len(PICTURE)}")
    path: str = json.loads(send(service, request_id, head, PICTURE).body)["thumbnails"][0]
    return path


def spans(heard: Collector, request_id: str, count: int = 1) -> tuple[Span, dict[str, Span]]:
    """Wait for the span of a request; give it and those within it, by name."""
    assert eventually(lambda: len(heard.served(request_id)) > count)
    own, *parts = heard.served(request_id)
    return own, {part.name: part for part in parts}


def test_an_upload_is_a_span_with_all_that_it_took(service: Service, heard: Collector) -> None:
    add(service, "an-upload")
    own, parts = spans(heard, "an-upload", count=7)
    assert (own.name, own.kind) == ("POST /images", Span.SPAN_KIND_SERVER)
    assert {"queue", "decode", "encode", "resize", "files"} <= parts.keys()
    for part in parts.values():
        assert part.trace_id == own.trace_id
        assert own.start_time_unix_nano <= part.start_time_unix_nano
        assert part.start_time_unix_nano <= part.end_time_unix_nano <= own.end_time_unix_nano
    assert attributes(own.attributes) == {
        "http.request.method": "POST",
        "http.response.status_code": 201,
        "http.response.body.size": attributes(own.attributes)["http.response.body.size"],
        "http.route": "/images",
        "url.path": "/images",
        "asgilook.request_id": "an-upload",
    }
    assert heard.resource_of("an-upload")["service.name"] == "asgilook"


def test_a_hit_joins_the_trace_that_its_request_names(service: Service, heard: Collector) -> None:
    path = add(service, "before-the-hit")
    head = request("GET", path, f"traceparent: 00-{TRACE}-{SPAN}-01")
    assert send(service, "a-hit", head).status == 200
    own, parts = spans(heard, "a-hit")
    assert own.name == "GET /thumbnails/{image_id}/{size}.{kind}"
    assert (own.trace_id.hex(), own.parent_span_id.hex()) == (TRACE, SPAN)
    assert parts["redis"].kind == Span.SPAN_KIND_CLIENT


def test_the_log_has_the_trace_that_a_request_began(service: Service, heard: Collector) -> None:
    send(service, "a-trace-begins", request("GET", "/images"))
    own, _ = spans(heard, "a-trace-begins")
    told = f'"request_id":"a-trace-begins","trace_id":"{own.trace_id.hex()}"'
    # The line comes after the span, which may have gone out by then.
    assert eventually(lambda: told in service.log)


def test_what_is_not_to_be_sampled_is_not_sent(service: Service, heard: Collector) -> None:
    head = request("GET", "/images", f"traceparent: 00-{TRACE}-{SPAN}-00")
    assert send(service, "not-sampled", head).status == 200
    send(service, "sampled", request("GET", "/images"))
    assert spans(heard, "sampled")
    assert heard.served("not-sampled") == []
    assert f'"request_id":"not-sampled","trace_id":"{TRACE}"' in service.log


def test_no_span_tells_a_query_or_a_made_up_name(service: Service, heard: Collector) -> None:
    send(service, "with-a-query", request("PROPFIND", f"/signed/{QUERY}/x?{QUERY}"))
    assert eventually(lambda: bool(heard.served("with-a-query")))
    [own] = heard.served("with-a-query")
    assert own.name == "HTTP"
    assert QUERY not in str(heard.requests)


def test_a_failure_is_one_in_the_trace_as_well(
    heard: Collector, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nowhere = f"http://127.0.0.1:{servers.free_port()}"
    settings = {"TRACES": "true", "S3_BUCKET": "nowhere", "S3_ENDPOINT_URL": nowhere}
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": heard.url, "OTEL_SERVICE_NAME": "pictures"}
    options = ServiceOptions(tmp_path_factory.mktemp("failing"), settings, environment=told)
    with servers.service(options) as service:
        assert send(service, "a-failure", request("GET", "/images")).status == 503
    # What was recorded is sent before the end.
    own, parts = spans(heard, "a-failure")
    assert own.status.code == Status.STATUS_CODE_ERROR
    assert "s3" in parts
    assert heard.resources[-1]["service.name"] == "pictures"


def test_without_the_extra_traces_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASGI_LOOK_TRACES", "true")
    assert config.load().traces
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    with pytest.raises(ConfigError, match=r"ASGI_LOOK_TRACES: .*asgilook\[otel\]"):
        config.load()


@pytest.mark.parametrize(
    "command",
    ["asgilook serve --port 0", "asgilook serve --port 0 --workers 2", "uvicorn asgilook.asgi:app"],
)
def test_what_the_library_cannot_be_set_to_ends_the_start_without_a_traceback(
    tmp_path: Path, command: str
) -> None:
    wrong = {"ASGI_LOOK_TRACES": "true", "OTEL_BSP_SCHEDULE_DELAY": "0"}
    ended = python(tmp_path, "-m", *command.split(), settings=wrong)
    assert ended.returncode != 0
    assert "OTEL_*: schedule_delay_millis must be positive" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_who_wants_no_traces_does_not_wait_for_the_imports() -> None:
    program = "import asgilook.asgi, sys; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "asgilook.http.exchange" in loaded
    # The client for Redis looks for some of OpenTelemetry by itself.
    assert "asgilook.http.spans" not in loaded
    assert "opentelemetry.exporter.otlp.proto.http" not in loaded
