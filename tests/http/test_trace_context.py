"""What a request says of the trace that it belongs to: believed where it is well-formed."""

import pytest

from asgilook.http.trace_context import TraceParent, read_traceparent

TRACE = b"4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = b"00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("field", "is_sampled"),
    [
        (b"00-%b-%b-01" % (TRACE, SPAN), True),
        (b"00-%b-%b-00" % (TRACE, SPAN), False),
        (b"00-%b-%b-ff" % (TRACE, SPAN), True),
        (b"cc-%b-%b-01" % (TRACE, SPAN), True),
        (b"cc-%b-%b-01-what-the-future-brings" % (TRACE, SPAN), True),
    ],
)
def test_a_trace_is_joined(field: bytes, is_sampled: bool) -> None:  # noqa: FBT001
    assert read_traceparent(field) == TraceParent(TRACE.decode(), SPAN.decode(), is_sampled)


@pytest.mark.parametrize(
    "field",
    [
        b"",
        b"00",
        b"ff-%b-%b-01" % (TRACE, SPAN),
        b"00-%b-%b-01-more" % (TRACE, SPAN),
        b"cc-%b-%b-01more" % (TRACE, SPAN),
        b"00-%b-%b-1" % (TRACE, SPAN),
        b"00-%b-%b-01\n" % (TRACE, SPAN),
        b"00-%b-%b-01" % (TRACE.upper(), SPAN),
        b"00-%b-%b-01" % (b"0" * 32, SPAN),
        b"00-%b-%b-01" % (TRACE, b"0" * 16),
        b"00-%b-%b-01" % (TRACE[1:], SPAN),
        b"00-%b-%b-0g" % (TRACE, SPAN),
    ],
)
def test_what_is_malformed_belongs_to_no_trace(field: bytes) -> None:
    assert read_traceparent(field) is None
