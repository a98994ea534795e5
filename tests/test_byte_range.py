"""Parts of an object, held against Python's own slices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgilook.byte_range import ByteRange, Span
from asgilook.errors import RangeUnsatisfiable

BODY = bytes(range(100))
lengths = st.integers(0, 100)
positions = st.integers(0, 120)


def cut(body: bytes, span: Span) -> bytes:
    return body[span.first : span.last + 1]


@given(lengths, positions, positions)
def test_a_first_and_a_last_byte_cut_what_lies_between_and_exists(
    length: int, first: int, more: int
) -> None:
    body, expected = BODY[:length], BODY[:length][first : first + more + 1]
    assert_cuts(ByteRange(first, first + more), body, expected)


@given(lengths, positions)
def test_a_first_byte_alone_cuts_all_from_there_on(length: int, first: int) -> None:
    assert_cuts(ByteRange(first), BODY[:length], BODY[:length][first:])


@given(lengths, positions)
def test_a_suffix_cuts_that_many_bytes_from_the_end(length: int, count: int) -> None:
    expected = BODY[max(0, length - count) : length]
    assert_cuts(ByteRange(None, count), BODY[:length], expected)


def assert_cuts(byte_range: ByteRange, body: bytes, expected: bytes) -> None:
    """Nothing to cut is unsatisfiable, and tells the size; a span is never empty."""
    if not expected:
        with pytest.raises(RangeUnsatisfiable) as refused:
            byte_range.within(len(body))
        assert refused.value.size_bytes == len(body)
        return
    span = byte_range.within(len(body))
    assert cut(body, span) == expected
    assert (span.length, span.total_bytes) == (len(expected), len(body))


@pytest.mark.parametrize(
    ("byte_range", "spelled"),
    [
        (ByteRange(0, 0), "bytes=0-0"),
        (ByteRange(500, 999), "bytes=500-999"),
        (ByteRange(9500), "bytes=9500-"),
        (ByteRange(None, 500), "bytes=-500"),
    ],
)
def test_a_range_is_spelled_as_in_a_request(byte_range: ByteRange, spelled: str) -> None:
    assert str(byte_range) == spelled


def test_a_span_is_spelled_as_in_an_answer() -> None:
    assert str(Span(42, 1233, 1234)) == "bytes 42-1233/1234"
