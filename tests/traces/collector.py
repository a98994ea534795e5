"""A collector that speaks OTLP over HTTP and remembers what it is sent."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """What has come in, as it was spelled on the wire."""

    url: str = ""
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Give what the senders said of themselves."""
        return [
            attributes(part.resource.attributes)
            for request in self.requests
            for part in request.resource_spans
        ]

    def resource_of(self, request_id: str) -> dict[str, Any]:
        """Give what the sender of a request's span said of itself."""
        return next(
            attributes(part.resource.attributes)
            for request in self.requests
            for part in request.resource_spans
            for scope in part.scope_spans
            for span in scope.spans
            if attributes(span.attributes).get("asgilook.request_id") == request_id
        )

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def served(self, request_id: str) -> list[Span]:
        """Find the spans of a request, its own first."""
        own = [
            s
            for s in self.spans
            if attributes(s.attributes).get("asgilook.request_id") == request_id
        ]
        return own + [span for span in self.spans if own and span.parent_span_id == own[0].span_id]


def attributes(told: Any) -> dict[str, Any]:
    """Read attributes, each as its one value."""
    pairs: list[KeyValue] = list(told)
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "") for one in pairs}


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """Run one."""
    one = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            one.requests.append(ExportTraceServiceRequest.FromString(body))
            self.send_response_only(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        one.url = f"http://127.0.0.1:{server.server_port}"
        yield one
        server.shutdown()
