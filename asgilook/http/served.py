"""A request that was served, as it is written down: enough to find it again, and no secret."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from asgilook.http.head import Head

# Whoever reads a log may not serve themselves with it.
_SIGNATURE = re.compile(r"(/signed/+)[^/]+")

LEFT = 499
"""Stands for an answer where the client left before it began, as nginx has it."""


@dataclass(slots=True)
class Served:
    """What came, what was answered, and where the time went; neither query nor fields."""

    method: str
    path: str
    route: str
    status: int
    sent_bytes: int
    is_complete: bool
    seconds: float
    spent_s: Mapping[str, float]
    head: Head
    trace_id: str | None = None

    def __str__(self) -> str:
        cut = "" if self.is_complete else " cut"
        return (
            f"{self.method} {self.shown_path} {self.status} {self.sent_bytes} bytes "
            f"{self.seconds * 1000:.1f} ms{cut} id={self.request_id}"
        )

    @property
    def request_id(self) -> str:
        """Give what the answer was told apart by."""
        return self.head.request_id.decode()

    @property
    def shown_path(self) -> str:
        """Hide what signs the path, and escape it, so that none can write a line of its own."""
        path = self.path
        # Anywhere: a proxy that spells its target wrongly sends signatures that are right.
        if "/signed/" in path:
            path = _SIGNATURE.sub(r"\1***", path)
        return path.encode("unicode_escape").decode()

    def fields(self) -> dict[str, object]:
        """Give it as what a line in JSON says; times are in milliseconds."""
        told: dict[str, object] = {
            "method": self.method,
            "path": self.shown_path,
            "route": self.route,
            "status": self.status,
            "bytes": self.sent_bytes,
            "complete": self.is_complete,
            "ms": round(self.seconds * 1000, 3),
            "spent_ms": {name: round(spent * 1000, 3) for name, spent in self.spent_s.items()},
            "request_id": self.request_id,
        }
        if self.trace_id:
            told["trace_id"] = self.trace_id
        return told
