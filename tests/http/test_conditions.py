"""The conditions of a request (RFC 9110, section 13), as pure values."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgilook.http.conditions import Conditions, Validators, Verdict, parse_date

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
