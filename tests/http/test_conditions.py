"""RFC 9110, sections 13 and 14, as pure values."""

import string
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgilook.byte_range import ByteRange
from asgilook.errors import RangeUnsatisfiable
from asgilook.http.conditions import Conditions, Validators, Verdict, parse_date, parse_range

ETAG = '"aac5"'
MODIFIED = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
CURRENT = Validators(ETAG, MODIFIED)

NOW = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"
THREE_FORMS = (NOW, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994")
NO_DATES = (
    "",
    "junk",
    "0",
    "1994-11-06T08:49:37Z",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 31 Feb 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 25:49:37 GMT",
    "Sun, 06 Nov 10000 08:49:37 GMT",
    f"{NOW}, {NOW}",
)

opaque_characters = st.characters(min_codepoint=0x21, max_codepoint=0xFF).filter(
    lambda character: character not in {'"', "\x7f"}
)
etags = st.text(opaque_characters, max_size=20).map(lambda opaque: f'"{opaque}"')
moments = st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)).map(  # noqa: DTZ001 - next line
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
lengths = st.integers(1, 10_000)
positions = st.integers(0, 12_000)


@pytest.mark.parametrize(
    "field",
    [ETAG, f"W/{ETAG}", f'"x", {ETAG}', f'"x",{ETAG},"y"', f',, {ETAG} ,\t"a,b" ,', "*", " * "],
)
def test_if_none_match_naming_the_current_tag_means_not_modified(field: str) -> None:
    assert Conditions(if_none_match=field).judge(CURRENT) is Verdict.NOT_MODIFIED


@pytest.mark.parametrize(
    "field",
    [
        '"x"',
        "",
        "aac5",
        f"w/{ETAG}",
        f"W / {ETAG}",
        f'"x" {ETAG}',
        f"{ETAG} *",
        '"x, aac5"',
        '"AAC5"',
    ],
)
def test_if_none_match_naming_no_current_tag_lets_the_request_proceed(field: str) -> None:
    assert Conditions(if_none_match=field).judge(CURRENT) is Verdict.PROCEED


@pytest.mark.parametrize("field", [ETAG, f'"x", {ETAG}', f'W/"x", {ETAG}', "*"])
def test_if_match_naming_the_current_tag_lets_the_request_proceed(field: str) -> None:
    assert Conditions(if_match=field).judge(CURRENT) is Verdict.PROCEED


@pytest.mark.parametrize("field", ['"x"', f"W/{ETAG}", f'"x", W/{ETAG}', "", "aac5"])
def test_if_match_compares_strongly_and_fails_otherwise(field: str) -> None:
    assert Conditions(if_match=field).judge(CURRENT) is Verdict.FAILED


@given(st.lists(etags), etags)
def test_a_tag_in_a_list_is_found_wherever_it_stands(others: list[str], etag: str) -> None:
    field = ", ".join(sorted([*others, etag]))
    assert Conditions(if_none_match=field).judge(Validators(etag)) is Verdict.NOT_MODIFIED
    assert Conditions(if_match=field).judge(Validators(etag)) is Verdict.PROCEED


@given(st.lists(etags), etags)
def test_a_tag_is_never_found_inside_of_others(others: list[str], etag: str) -> None:
    field = ", ".join(other for other in others if other != etag) or '"other"'
    current = Validators(etag if etag != '"other"' else '"another"')
    assert Conditions(if_none_match=field).judge(current) is Verdict.PROCEED
    assert Conditions(if_match=field).judge(current) is Verdict.FAILED


@given(st.text())
def test_no_field_whatever_it_says_is_an_error(text: str) -> None:
    asked = Conditions.read(lambda _: text)
    assert asked.judge(CURRENT) in Verdict
    asked.byte_range(CURRENT)


@pytest.mark.parametrize("spelling", THREE_FORMS)
def test_each_of_the_three_date_forms_is_read(spelling: str) -> None:
    assert parse_date(spelling) == MODIFIED


@given(moments)
def test_the_three_forms_of_one_moment_say_the_same(moment: datetime) -> None:
    preferred = format_datetime(moment, usegmt=True)
    assert parse_date(preferred) == moment
    assert parse_date(moment.strftime("%a %b %d %H:%M:%S %Y")) == moment
    assert parse_date(moment.strftime("%A, %d-%b-%y %H:%M:%S GMT")) == moment


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date_is_ignored(text: str) -> None:
    assert parse_date(text) is None
    since = Conditions(if_modified_since=text, if_unmodified_since=text)
    assert since.judge(CURRENT) is Verdict.PROCEED


@pytest.mark.parametrize(
    ("date", "verdict"),
    [
        (BEFORE, Verdict.PROCEED),
        (NOW, Verdict.NOT_MODIFIED),
        (AFTER, Verdict.NOT_MODIFIED),
    ],
)
def test_if_modified_since_asks_for_anything_newer(date: str, verdict: Verdict) -> None:
    assert Conditions(if_modified_since=date).judge(CURRENT) is verdict


@pytest.mark.parametrize(
    ("date", "verdict"),
    [(BEFORE, Verdict.FAILED), (NOW, Verdict.PROCEED), (AFTER, Verdict.PROCEED)],
)
def test_if_unmodified_since_refuses_anything_newer(date: str, verdict: Verdict) -> None:
    assert Conditions(if_unmodified_since=date).judge(CURRENT) is verdict


def test_without_a_date_of_its_own_a_representation_meets_no_date_condition() -> None:
    undated = Validators(ETAG)
    assert Conditions(if_modified_since=AFTER).judge(undated) is Verdict.PROCEED
    assert Conditions(if_unmodified_since=BEFORE).judge(undated) is Verdict.PROCEED
    assert Conditions(if_range=NOW, range="bytes=0-1").byte_range(undated) is None


@pytest.mark.parametrize(
    ("conditions", "verdict"),
    [
        (Conditions(if_none_match='"x"', if_modified_since=AFTER), Verdict.PROCEED),
        (Conditions(if_none_match=ETAG, if_modified_since=BEFORE), Verdict.NOT_MODIFIED),
        (Conditions(if_match=ETAG, if_unmodified_since=BEFORE), Verdict.PROCEED),
        (Conditions(if_match='"x"', if_unmodified_since=AFTER), Verdict.FAILED),
        (Conditions(if_match='"x"', if_none_match=ETAG), Verdict.FAILED),
        (Conditions(if_match=ETAG, if_none_match=ETAG), Verdict.NOT_MODIFIED),
        (Conditions(if_unmodified_since=AFTER, if_none_match=ETAG), Verdict.NOT_MODIFIED),
        (Conditions(), Verdict.PROCEED),
    ],
)
def test_conditions_are_weighed_in_the_order_of_section_13_2_2(
    conditions: Conditions, verdict: Verdict
) -> None:
    assert conditions.judge(CURRENT) is verdict


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


@pytest.mark.parametrize("validator", [ETAG, *THREE_FORMS])
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


@given(moments, st.integers(1, 100_000))
def test_a_later_date_is_no_match_for_if_range(moment: datetime, seconds: int) -> None:
    asked = Conditions(
        if_range=format_datetime(moment + timedelta(seconds=seconds), usegmt=True),
        range="bytes=0-1",
    )
    assert asked.byte_range(Validators(ETAG, moment)) is None
