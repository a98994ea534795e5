"""The range that a request asks for (RFC 9110, section 14), as a pure value."""

import string
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgilook.byte_range import ByteRange
from asgilook.errors import RangeUnsatisfiable
from asgilook.http.conditions import Conditions, Validators, parse_range

ETAG = '"aac5"'
CURRENT = Validators(ETAG, datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC))

BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"
NOW_IN_THREE_FORMS = (
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
)

lengths = st.integers(1, 10_000)
positions = st.integers(0, 12_000)


@given(positions, positions, lengths)
def test_a_range_gives_the_bytes_that_a_slice_would(one: int, other: int, length: int) -> None:
    first, last = sorted((one, other))
    for text, expected in (
        (f"bytes={first}-{last}", range(length)[first : last + 1]),
        (f"bytes={first}-", range(length)[first:]),
        (f"bytes=-{last + 1}", range(length)[-last - 1 :]),
    ):
        asked = parse_range(text)
        assert asked
        if expected:
            span = asked.within(length)
            assert (span.first, span.last, span.length) == (
                expected[0],
                expected[-1],
                len(expected),
            )
        else:
            with pytest.raises(RangeUnsatisfiable):
                asked.within(length)


def test_the_last_no_bytes_of_something_cannot_be_had() -> None:
    asked = parse_range("bytes=-0")
    assert asked
    with pytest.raises(RangeUnsatisfiable):
        asked.within(10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-0", ByteRange(0, 0)),
        ("bytes=2-7", ByteRange(2, 7)),
        ("bytes=7-", ByteRange(7)),
        ("bytes=-7", ByteRange(None, 7)),
        ("BYTES=007-9", ByteRange(7, 9)),
    ],
)
def test_a_single_range_is_read(text: str, expected: ByteRange) -> None:
    assert parse_range(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=1",
        "bytes=a-b",
        "bytes=9-8",
        "bytes=+1-2",
        "bytes=1_0-20",
        "bytes= 1-2",
        "bytes=1 -2",
        "bytes=1-2 ",
        "bytes=1-2\n",
        "bytes = 1-2",
        "bytes=-1-2",
        "bytes=0x1-0x2",
        "bytes=\u0661-\u0662",
        "bytes=0-0,2-3",
        "bytes=0-,0-,0-,0-,0-,0-",
        "bytes=0-18446744073709551616",
        "lines=1-2",
        "items=0-5",
    ],
)
def test_any_other_range_is_ignored(text: str) -> None:
    assert parse_range(text) is None


@given(st.text(string.printable))
def test_a_range_that_is_read_comes_from_digits_only(text: str) -> None:
    if parse_range(f"bytes={text}"):
        assert set(text) <= {*string.digits, "-"}


@pytest.mark.parametrize("validator", [ETAG, *NOW_IN_THREE_FORMS])
def test_a_range_is_given_if_the_representation_is_still_the_same(validator: str) -> None:
    asked = Conditions(if_range=validator, range="bytes=0-1")
    assert asked.byte_range(CURRENT) == ByteRange(0, 1)


@pytest.mark.parametrize(
    "validator", ['"x"', f"W/{ETAG}", f'"x", {ETAG}', "*", BEFORE, AFTER, "", "junk", "aac5"]
)
def test_the_whole_is_given_if_the_representation_may_be_another(validator: str) -> None:
    asked = Conditions(if_range=validator, range="bytes=0-1")
    assert asked.byte_range(CURRENT) is None
    assert asked.byte_range() is None


def test_if_range_alone_asks_for_nothing() -> None:
    assert Conditions(if_range=ETAG).byte_range(CURRENT) is None


@given(st.integers(-700_000_000, 2_000_000_000).filter(bool))
def test_no_other_date_is_a_match(seconds: int) -> None:
    moment = CURRENT.modified
    assert moment
    asked = Conditions(
        if_range=format_datetime(moment + timedelta(seconds=seconds), usegmt=True),
        range="bytes=0-1",
    )
    assert asked.byte_range(CURRENT) is None
