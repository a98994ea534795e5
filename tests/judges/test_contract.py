"""What else RFC 9110 and common sense ask of an origin behind caches, on the wire.

In each test's place there could be a person with curl.
"""

from typing import Any
from uuid import UUID

import httpx
import pytest

from asgilook.ids import uuid7
from tests.wire.raw import Wire, request


def test_a_method_that_is_not_known_here_is_refused_with_those_that_are(
    client: httpx.Client, original: str
) -> None:
    override = {"x-http-method-override": "DELETE", "x-method-override": "DELETE"}

    assert client.put(original).headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.options(original).headers["allow"] == "GET, HEAD, OPTIONS"
    for method in ("PUT", "PATCH", "TRACE", "BREW", "PROPFIND"):
        assert client.request(method, original).status_code in {400, 405, 501}
    assert client.get(original, headers=override).status_code == 200
    assert client.post(original, headers=override).status_code == 405


def test_no_condition_makes_a_missing_image_something_else(client: httpx.Client) -> None:
    for fields in ({"if-none-match": "*"}, {"range": "bytes=0-9"}, {"if-match": '"other"'}):
        for path in (f"/images/{uuid7()}.jpeg", f"/thumbnails/{uuid7()}/64x64.jpeg"):
            assert client.get(path, headers=fields).status_code == 404


def test_each_thing_has_one_spelling(service_url: str, view: dict[str, Any]) -> None:
    given = UUID(view["id"])
    ids = [str(given).upper(), given.hex, f"{{{given}}}", given.urn, f"{given}%0A", f"{given}/"]
    sizes = ["0320x240", "+320x240", "3_20x240", "320X240", "320x240.0", "%D9%A3%D9%A2%D9%A0x240"]
    others = [
        *(f"/images/{spelling}" for spelling in ids),
        *(f"/images/{spelling}.jpeg" for spelling in ids),
        *(f"/thumbnails/{spelling}/320x240.jpeg" for spelling in ids),
        *(f"/thumbnails/{given}/{size}.jpeg" for size in sizes),
        f"//images/{given}.jpeg",
        f"/images//{given}.jpeg",
        f"/Images/{given}.jpeg",
        f"/images/{given}.jpg",
        f"/images/{given}.JPEG",
    ]
    for path in others:
        with Wire(service_url) as wire:
            assert wire.get(path).status == 404, path


def test_a_query_changes_nothing(client: httpx.Client, things: list[str]) -> None:
    for path in things[:3]:
        plain = client.get(path)
        asked = client.get(f"{path}?cb=1&limit=0&w=%00")
        assert (asked.status_code, asked.content) == (200, plain.content)
        assert asked.headers["etag"] == plain.headers["etag"]


@pytest.mark.parametrize(
    "path",
    ["/%00", "/images/%2f..%2f..%2fetc/passwd", "/images/\xff\xfe", "/%ff%fe", "/" + "a" * 8192],
)
def test_a_hostile_path_is_the_clients_mistake(service_url: str, path: str) -> None:
    with Wire(service_url) as wire:
        answer = wire.get(path)
        assert 400 <= answer.status < 500
        assert b"passwd" not in answer.body


def test_an_upload_is_there_at_once_and_its_answer_is_nobody_elses(
    client: httpx.Client, picture: bytes
) -> None:
    made = client.post("/images", content=picture, headers={"content-type": "image/jpeg"})

    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    assert made.headers["location"] == f"/images/{made.json()['id']}.jpeg"
    assert client.get(made.headers["location"]).status_code == 200
    assert client.get("/images").json()[0] == made.json()


def test_what_a_request_says_of_itself_is_in_no_answer(
    client: httpx.Client, things: list[str], picture: bytes
) -> None:
    evil = {
        "forwarded": "host=evil.example;proto=https",
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "evil",
        "x-forwarded-prefix": "/evil",
        "x-original-url": "/evil",
        "x-rewrite-url": "/evil",
    }
    plain = [client.get(path) for path in things]
    for path, before in zip(things, plain, strict=True):
        for fields in (evil, {"host": "evil.example"}, {"cookie": "a=evil"}):
            answer = client.get(path, headers={**fields, "authorization": "Bearer evil"})
            assert answer.content == before.content
            assert not any(b"evil" in value for _, value in answer.headers.raw)
    assert "evil" not in client.get("/evil?evil", headers=evil).text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (["X-Long: " + "a" * 40_000], 431),
        (["X-Meta: \x01"], 400),
        (["Host: second"], 400),
        (["Expect: more"], 417),
        (["Range: bytes=999999999-"], 416),
        (['If-Match: "other"'], 412),
    ],
)
def test_nobody_keeps_an_error_that_odd_fields_have_caused(
    service_url: str, original: str, fields: list[str], status: int
) -> None:
    with Wire(service_url) as wire:
        wire.send(request("GET", original, *fields))
        answer = wire.answer()
        assert answer.status == status
        assert answer.fields["cache-control"] == "no-store"
