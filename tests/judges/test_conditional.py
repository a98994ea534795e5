"""Conditions and ranges (RFC 9110, sections 13 and 14), on the wire."""

from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

import httpx
import pytest

KEPT_BY_304 = ("cache-control", "etag")


def test_a_reader_who_has_it_is_told_so(client: httpx.Client, things: list[str]) -> None:
    for path in things:
        whole = client.get(path)
        etag = whole.headers["etag"]
        for named in (etag, f"W/{etag}", f'"other", {etag}', f'W/"other",{etag}', "*"):
            answer = client.get(path, headers={"if-none-match": named})
            assert (answer.status_code, answer.content) == (304, b"")
            for name in KEPT_BY_304:
                assert answer.headers[name] == whole.headers[name]
        assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_an_etag_beats_a_date(client: httpx.Client, original: str) -> None:
    fields = client.get(original).headers
    etag, date = fields["etag"], fields["last-modified"]

    for named, since, status in (
        ('"other"', date, 200),
        (etag, "Thu, 01 Jan 1970 00:00:00 GMT", 304),
    ):
        asked = {"if-none-match": named, "if-modified-since": since}
        assert client.get(original, headers=asked).status_code == status


def test_a_date_counts_in_all_three_forms_and_no_other(
    client: httpx.Client, original: str, thumbnail: str
) -> None:
    for path in (original, thumbnail):
        modified = parsedate_to_datetime(client.get(path).headers["last-modified"])
        later, earlier = (modified + timedelta(hours=hours) for hours in (1, -1))
        for since, status in {
            format_datetime(modified, usegmt=True): 304,
            format_datetime(later, usegmt=True): 304,
            format_datetime(earlier, usegmt=True): 200,
            f"{modified:%A, %d-%b-%y %H:%M:%S} GMT": 304,
            f"{modified:%a %b} {modified.day:2} {modified:%H:%M:%S %Y}": 304,
            "junk": 200,
            "": 200,
        }.items():
            answer = client.get(path, headers={"if-modified-since": since})
            assert answer.status_code == status, since


def test_a_precondition_that_does_not_hold_is_said_to_fail(
    client: httpx.Client, things: list[str]
) -> None:
    for path in things:
        etag = client.get(path).headers["etag"]
        for named, status in ((etag, 200), ("*", 200), (f"W/{etag}", 412), ('"other"', 412)):
            assert client.get(path, headers={"if-match": named}).status_code == status
    long_ago = {"if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT"}
    assert client.get(things[0], headers=long_ago).status_code == 412


@pytest.mark.parametrize("kind", ["original", "thumbnail"])
def test_a_part_is_given_exactly(
    client: httpx.Client, request: pytest.FixtureRequest, kind: str
) -> None:
    path = request.getfixturevalue(kind)
    whole = client.get(path)
    size = len(whole.content)

    for asked, (first, last) in {
        "0-99": (0, 99),
        "0-0": (0, 0),
        "100-": (100, size - 1),
        "-100": (size - 100, size - 1),
        f"-{size + 9}": (0, size - 1),
        f"9-{size + 9}": (9, size - 1),
    }.items():
        part = client.get(path, headers={"range": f"bytes={asked}"})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert part.content == whole.content[first : last + 1]
        for name in ("etag", "cache-control", "content-type", "last-modified"):
            assert part.headers[name] == whole.headers[name]


def test_parts_make_the_whole(client: httpx.Client, original: str) -> None:
    whole = client.get(original).content

    starts = range(0, len(whole), 1000)
    ranges = [f"bytes={start}-{start + 999}" for start in starts]
    parts = [client.get(original, headers={"range": text}).content for text in ranges]
    assert b"".join(parts) == whole


def test_a_part_beyond_the_end_is_refused_with_the_length(
    client: httpx.Client, original: str
) -> None:
    size = len(client.get(original).content)

    for asked in (f"bytes={size}-", f"bytes={size}-{size + 1}", "bytes=-0"):
        answer = client.get(original, headers={"range": asked})
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")


@pytest.mark.parametrize(
    "asked",
    ["lines=1-2", "bytes=2-1", "bytes=+1-2", "bytes=1_0-20", "bytes= 1-2", "bytes=a-b", "bytes=-"],
)
def test_what_is_no_range_is_ignored(client: httpx.Client, original: str, asked: str) -> None:
    assert client.get(original, headers={"range": asked}).status_code == 200


def test_many_parts_at_once_are_the_whole(client: httpx.Client, original: str) -> None:
    size = len(client.get(original).content)

    for asked in ("0-0,2-3", ",".join(["0-"] * 500)):
        answer = client.get(original, headers={"range": f"bytes={asked}"})
        assert (answer.status_code, len(answer.content)) == (200, size)
    assert client.head(original, headers={"range": "bytes=0-0"}).status_code == 200


def test_a_part_of_something_else_is_the_whole(
    client: httpx.Client, original: str, thumbnail: str
) -> None:
    for path in (original, thumbnail):
        fields = client.get(path).headers
        etag, modified = fields["etag"], parsedate_to_datetime(fields["last-modified"])
        for held, status in {
            etag: 206,
            fields["last-modified"]: 206,
            f"W/{etag}": 200,
            '"other"': 200,
            format_datetime(modified + timedelta(seconds=1), usegmt=True): 200,
        }.items():
            asked = {"if-range": held, "range": "bytes=0-9"}
            assert client.get(path, headers=asked).status_code == status
        beyond = {"if-range": '"other"', "range": "bytes=999999999-"}
        assert client.get(path, headers=beyond).status_code == 200
