"""Which trace a request belongs to, as whoever sent it says (W3C Trace Context, section 3.2)."""

import re
from typing import NamedTuple, Protocol

from asgilook.http.served import Served
from asgilook.timing import Spent

# A later version may say more, behind another dash (section 3.2.2.3).
_FORM = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})"
    rb"-(?P<parent>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_SAMPLED = 1


class TraceParent(NamedTuple):
    """A trace, the span in it that the request comes from, and whether that is recorded."""

    trace_id: str
    span_id: str
    is_sampled: bool


class Traces(Protocol):
    """Whoever records traces."""

    def begin(self) -> Spent:
        """Give what the times of a request are noted in."""

    def record(self, served: Served, parent: TraceParent | None) -> str:
        """Record a request that has come to its end; give the id of its trace."""

    def close(self) -> None:
        """Send what is recorded; blocks while it does."""


def read_traceparent(field: bytes) -> TraceParent | None:
    """Read the field; None where there is no valid one, and the request belongs to no trace."""
    match = _FORM.fullmatch(field)
    if match is None or (match["version"] == b"00" and match["more"]):
        return None
    is_sampled = bool(int(match["flags"], 16) & _SAMPLED)
    return TraceParent(match["trace"].decode(), match["parent"].decode(), is_sampled)
