"""What an origin behind caches has to say in its answers, whatever was asked (RFC 9110, 9111)."""

import base64
import hashlib
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from asgilook.ids import uuid7
from tests import servers
from tests.servers import ServiceOptions

OF_THE_MOMENT = {"date", "server-timing", "x-request-id"}


def test_every_answer_says_how_long_it_is(client: httpx.Client, things: list[str]) -> None:
    for path in things:
        for fields in ({}, {"range": "bytes=0-9"}):
            answer = client.get(path, headers=fields)
            assert int(answer.headers["content-length"]) == len(answer.content)
            assert "transfer-encoding" not in answer.headers


def test_etags_are_strong_and_the_same_on_every_node(
    client: httpx.Client, storage: Path, things: list[str]
) -> None:
    ours = [client.get(path).headers["etag"] for path in things]
    with servers.service(ServiceOptions(storage)) as node:
        theirs = [httpx.get(f"{node.url}{path}").headers["etag"] for path in things]

    assert theirs == ours
    assert len(set(ours)) == len(things)
    assert all(re.fullmatch('"[0-9a-f]+"', etag) for etag in ours)


def test_nothing_was_changed_after_it_was_sent(client: httpx.Client, original: str) -> None:
    fields = client.get(original).headers

    sent, modified = (parsedate_to_datetime(fields[name]) for name in ("date", "last-modified"))
    assert modified <= sent


def test_images_may_be_kept_for_a_year(client: httpx.Client, original: str, thumbnail: str) -> None:
    for path in (original, thumbnail):
        assert client.get(path).headers["cache-control"] == "max-age=31536000, immutable"


def test_head_says_what_get_says(client: httpx.Client, things: list[str]) -> None:
    for path in (*things, "/nothing", f"/images/{uuid7()}.jpeg", "/images?limit=x"):
        get, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert _lasting(head) == _lasting(get)


def test_a_missing_image_is_missing_for_seconds_and_no_other_error_is_kept(
    client: httpx.Client, original: str
) -> None:
    missing = client.get(f"/images/{uuid7()}.jpeg")
    errors = [
        client.get(original, headers={"range": "bytes=999999999-"}),
        client.get(original, headers={"if-match": '"other"'}),
        client.get("/images?limit=0"),
        client.put(original),
        client.post("/images", headers={"content-type": "text/html"}),
        client.get(f"/signed/x/contain/{uuid7()}/9x9.jpeg"),
    ]

    assert [error.status_code for error in errors] == [416, 412, 400, 405, 415, 403]
    assert missing.headers["cache-control"] == "max-age=5"
    assert {error.headers["cache-control"] for error in errors} == {"no-store"}
    for error in (missing, *errors):
        assert not {"etag", "last-modified", "repr-digest"} & error.headers.keys()


def test_a_listing_may_be_kept_briefly_and_longer_in_need(
    client: httpx.Client, things: list[str]
) -> None:
    fields = client.get("/images").headers

    assert fields["content-type"] == "application/json"
    lifetime = "max-age=5, stale-while-revalidate=30, stale-if-error=86400"
    assert fields["cache-control"] == lifetime


def test_a_listing_comes_in_pages(client: httpx.Client, original: str, picture: bytes) -> None:
    view = client.post("/images", content=picture).json()
    page = client.get("/images?limit=1")

    assert page.json() == [view]
    assert page.links["next"]["url"] == f"/images?limit=1&cursor={view['id']}"
    assert datetime.fromisoformat(view["created"]).utcoffset() is not None
    assert client.get(page.links["next"]["url"]).json()[0]["image"] == original
    assert client.get("/images?limit=501").status_code == 400


def test_nothing_is_compressed_and_nothing_varies(client: httpx.Client, things: list[str]) -> None:
    for path in things:
        answer = client.get(path, headers={"accept-encoding": "gzip, br"})
        assert not {"vary", "content-encoding", "set-cookie"} & answer.headers.keys()


def test_anyone_may_use_the_images_whether_or_not_they_say_who_they_are(
    client: httpx.Client, things: list[str]
) -> None:
    for path in (*things, "/nothing"):
        for fields in ({}, {"origin": "https://elsewhere.example"}):
            answer = client.get(path, headers=fields)
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
            exposed = set(answer.headers["access-control-expose-headers"].split(", "))
            assert {"etag", "content-range", "repr-digest"} <= exposed


def test_no_answer_can_be_taken_for_a_page(
    client: httpx.Client, view: dict[str, Any], things: list[str]
) -> None:
    for path in (*things, "/nothing"):
        fields = client.get(path).headers
        assert fields["x-content-type-options"] == "nosniff"
        assert fields["content-security-policy"] == "default-src 'none'; sandbox"
        assert fields["referrer-policy"] == "no-referrer"
    named = client.get(things[0]).headers["content-disposition"]
    assert named == f'inline; filename="{view["id"]}.jpeg"'


def test_only_thumbnails_say_where_they_come_from(
    client: httpx.Client, things: list[str], thumbnail: str
) -> None:
    for path in things:
        fields = client.get(path).headers
        assert "age" not in fields
        assert ("cache-status" in fields) == (path == thumbnail)


def test_an_original_comes_with_its_digest(client: httpx.Client, original: str) -> None:
    whole = client.get(original)
    part = client.get(original, headers={"range": "bytes=0-9"})

    digest = base64.b64encode(hashlib.sha256(whole.content).digest()).decode()
    for answer in (whole, part, client.head(original)):
        assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"


@pytest.mark.parametrize("name", ["content-digest", "repr-digest"])
def test_an_upload_is_what_its_digest_says(client: httpx.Client, picture: bytes, name: str) -> None:
    for digested, status in ((picture, 201), (b"other", 400)):
        digest = base64.b64encode(hashlib.sha256(digested).digest()).decode()
        fields = {"content-type": "image/jpeg", name: f"sha-256=:{digest}:"}
        assert client.post("/images", content=picture, headers=fields).status_code == status


def test_an_answer_tells_where_its_time_went(
    client: httpx.Client, original: str, thumbnail: str
) -> None:
    # Not where it comes from memory: that takes no time that would be worth telling.
    made_now = thumbnail.replace(".jpeg", ".webp")
    for path in (original, made_now):
        fields = client.get(path).headers
        assert re.fullmatch(r"(\w+;dur=[0-9.]+(, )?)+", fields["server-timing"])
        assert fields["timing-allow-origin"] == "*"


def test_a_requests_id_is_echoed_if_it_is_one(client: httpx.Client) -> None:
    for sent, is_taken in (("a-B_9.z", True), ("x" * 65, False), ('"><script>', False)):
        echoed = client.get("/images", headers={"x-request-id": sent}).headers["x-request-id"]
        assert (echoed == sent) == is_taken
        assert re.fullmatch("[A-Za-z0-9._-]{1,64}", echoed)


def test_nobody_keeps_the_state_of_health(client: httpx.Client) -> None:
    for path in ("/healthz", "/readyz"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"


def test_the_head_of_an_answer_fits_into_any_cache(client: httpx.Client, things: list[str]) -> None:
    for path in (*things, "/nothing"):
        fields = client.get(path).headers.raw
        assert len(fields) < 60
        assert sum(len(name) + len(value) + 4 for name, value in fields) < 8000


def _lasting(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OF_THE_MOMENT}
