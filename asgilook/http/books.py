"""Where each request that was served is written down: in the counts, the log and the traces."""

import logging
from collections.abc import Mapping

from asgilook import timing
from asgilook.http.served import Served
from asgilook.http.trace_context import Traces, read_traceparent
from asgilook.http.traffic import Traffic
from asgilook.timing import Spent

_log = logging.getLogger("asgilook.access")


class Books:
    """Opened for each request, and closed with what became of it."""

    def __init__(self, traffic: Traffic, traces: Traces | None = None) -> None:
        self._traffic = traffic
        self._traces = traces

    def open(self) -> Spent:
        """Begin a request; what this task spends its time on is noted in the result."""
        self.enter()
        return timing.begin(self._traces.begin() if self._traces else None)

    def close(self, served: Served) -> None:
        """End a request that was begun, and write it down."""
        self.leave()
        if "queue" in served.spent_s:
            self._traffic.note_queue(served.spent_s["queue"])
        self.write(served)

    def enter(self) -> None:
        """Note that a request is there."""
        self._traffic.in_progress += 1

    def leave(self) -> None:
        """Note that it is there no longer."""
        self._traffic.in_progress -= 1

    def noted(self, spent_s: Mapping[str, float]) -> Mapping[str, float]:
        """Make a note of times that were taken without a task."""
        if self._traces is None:
            return spent_s
        note = self._traces.begin()
        timing.add(spent_s, note)
        return note

    def note_hit(self) -> None:
        """Note that a thumbnail was in the cache, where Falcon and so the gallery was not asked."""
        self._traffic.hits += 1

    def write(self, served: Served) -> None:
        """Write a request down."""
        self._traffic.end(
            served.method, served.route, served.status, served.sent_bytes, served.seconds
        )
        if self._traces is not None or _log.isEnabledFor(logging.INFO):
            self._tell(served)

    def _tell(self, served: Served) -> None:
        field = served.head.traceparent
        parent = read_traceparent(field) if field else None
        if self._traces is not None:
            served.trace_id = self._traces.record(served, parent)
        elif parent is not None:
            served.trace_id = parent.trace_id
        _log.info(served)
