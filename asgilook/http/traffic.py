"""Counts requests and their answers."""

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from falcon.asgi import Request, Response

from asgilook.metrics import Meter
from asgilook.metrics.catalogue import (
    HTTP_IN_PROGRESS,
    HTTP_REQUEST_SECONDS,
    HTTP_REQUESTS,
    HTTP_RESPONSE_BYTES,
    LOOKUPS,
    QUEUE_SECONDS,
)

ROUTE = "asgilook.route"
"""Where in the scope of a request the name of its route is."""
UNMATCHED = "unmatched"

_BOUNDS_S = HTTP_REQUEST_SECONDS.buckets
_FIRST_S = _BOUNDS_S[0]

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""Those that are told apart: a client may call its method anything."""
_OTHER = "other"


@dataclass(slots=True)
class _Answers:
    """Answers of a kind, since they were last written down."""

    requests: int = 0
    sent_bytes: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS_S) + 1))


class Traffic:
    """What is under way, and what was answered how.

    A hit takes some 40 microseconds, and a number that other processes can read a quarter of one.
    So these are Python's own, until `write`.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._answers: dict[tuple[str, str, int], _Answers] = {}
        self.in_progress = 0
        self.hits = 0
        """Thumbnails answered without Falcon, since they were last written down."""

    def end(self, method: str, route: str, status: int, sent_bytes: int, seconds: float) -> None:
        """Count an answer."""
        kind = (method if method in METHODS else _OTHER, route, status)
        answers = self._answers.get(kind)
        if answers is None:
            answers = self._answers[kind] = _Answers()
        answers.requests += 1
        answers.sent_bytes += sent_bytes
        answers.seconds += seconds
        # Most are in the first.
        bucket = 0 if seconds <= _FIRST_S else bisect_left(_BOUNDS_S, seconds)
        answers.buckets[bucket] += 1

    def note_queue(self, seconds: float) -> None:
        """Note what a request has waited for its turn."""
        self._meter.observe(QUEUE_SECONDS, seconds)

    def write(self) -> None:
        """Write down what has come since the last time."""
        meter = self._meter
        for (method, route, status), answers in self._answers.items():
            meter.count(HTTP_REQUESTS, method, route, str(status), by=answers.requests)
            meter.count(HTTP_RESPONSE_BYTES, route, by=answers.sent_bytes)
            meter.add(HTTP_REQUEST_SECONDS, answers.buckets, answers.seconds, route)
        self._answers = {}
        meter.count(LOOKUPS, "hit", by=self.hits)
        self.hits = 0
        meter.set(HTTP_IN_PROGRESS, self.in_progress)


class Routes:
    """Notes which route a request takes (a middleware)."""

    async def process_resource(
        self, req: Request, resp: Response, resource: object, params: Mapping[str, Any]
    ) -> None:
        """Note it in the scope, where it outlives Falcon's request."""
        req.scope[ROUTE] = route_name(req.uri_template or UNMATCHED)


@cache
def route_name(template: str) -> str:
    """Name a route by its template, without the converters."""
    return re.sub(r"{(\w+):\w+}", r"{\1}", template)
