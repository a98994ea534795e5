"""Traces by OpenTelemetry: a span for each request, and within it one for each thing it spent on.

The spans are made when the request has come to its end, of what was noted anyway: whoever is not
traced pays nothing, and a hit that goes past Falcon is traced as all others are. Names and
attributes are those of OpenTelemetry's semantic conventions for HTTP servers, 1.23 and later.
"""

import time
from collections.abc import Callable

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    format_trace_id,
    set_span_in_context,
)

from asgilook import __version__
from asgilook.http.served import Served
from asgilook.http.trace_context import TraceParent
from asgilook.http.traffic import METHODS, UNMATCHED
from asgilook.timing import Block, Spent, SpentInBlocks

_CALLS = frozenset({"redis", "s3", "purge"})
"""What is done by another service, which whoever draws a map of services wants to know."""


class Spans:
    """Records requests, and sends them as the `OTEL_*` variables say, in a thread of its own."""

    def __init__(self) -> None:
        named = Resource.create({"service.name": "asgilook", "service.version": __version__})
        self._provider = TracerProvider(resource=named.merge(OTELResourceDetector().detect()))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("asgilook", __version__)

    def begin(self) -> Spent:
        """Remember one by one what a request spends its time on."""
        return SpentInBlocks()

    def record(self, served: Served, parent: TraceParent | None) -> str:
        """Make the spans of a request that ends now; give the id of its trace."""
        to_ns = _calendar()
        span = self._tracer.start_span(
            _name(served),
            _context(parent),
            SpanKind.SERVER,
            _attributes(served),
            start_time=to_ns(time.perf_counter() - served.seconds),
        )
        if span.is_recording():
            if served.status >= 500:
                span.set_status(StatusCode.ERROR)
            if isinstance(served.spent_s, SpentInBlocks):
                self._record_blocks(span, served.spent_s.blocks, to_ns)
        span.end(to_ns(time.perf_counter()))
        return format_trace_id(span.get_span_context().trace_id)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    def _record_blocks(
        self, span: Span, blocks: list[Block], to_ns: Callable[[float], int]
    ) -> None:
        within = set_span_in_context(span, Context())
        for name, seconds, end_s in blocks:
            kind = SpanKind.CLIENT if name in _CALLS else SpanKind.INTERNAL
            start_ns = to_ns(end_s - seconds)
            part = self._tracer.start_span(name, within, kind, start_time=start_ns)
            part.end(to_ns(end_s))


def _context(parent: TraceParent | None) -> Context:
    if parent is None:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED if parent.is_sampled else TraceFlags.DEFAULT)
    ids = int(parent.trace_id, 16), int(parent.span_id, 16)
    theirs = SpanContext(*ids, is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(theirs), Context())


def _name(served: Served) -> str:
    method = served.method if served.method in METHODS else "HTTP"
    return method if served.route == UNMATCHED else f"{method} {served.route}"


def _attributes(served: Served) -> dict[str, str | int]:
    told: dict[str, str | int] = {
        "http.request.method": served.method if served.method in METHODS else "_OTHER",
        "http.response.status_code": served.status,
        "http.response.body.size": served.sent_bytes,
        "url.path": served.shown_path,
        "asgilook.request_id": served.request_id,
    }
    if served.route != UNMATCHED:
        told["http.route"] = served.route
    return told


def _calendar() -> Callable[[float], int]:
    """Give what turns moments of `time.perf_counter` into those of the calendar, all alike."""
    start_ns = time.time_ns() - time.perf_counter_ns()
    return lambda moment_s: start_ns + int(moment_s * 1_000_000_000)
