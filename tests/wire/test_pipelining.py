"""Requests that do not wait for the answers before them."""

import pytest

from tests.wire.raw import PICTURE, Wire, request, upload

GET = request("GET", "/images")
MISSING = request("GET", "/nothing")


def test_requests_in_one_packet_are_answered_in_their_order(url: str) -> None:
    with Wire(url) as wire:
        wire.send(GET, MISSING, request("HEAD", "/images"), GET)
        assert [wire.answer().status, wire.answer().status] == [200, 404]
        assert wire.answer(to_head=True).status == 200
        assert wire.answer().status == 200


def test_a_hundred_requests_at_once_are_a_hundred_answers(url: str) -> None:
    with Wire(url) as wire:
        wire.send(GET * 100)
        assert {wire.answer().status for _ in range(100)} == {200}
        assert wire.get("/images").status == 200


@pytest.fixture
def hit(url: str) -> str:
    """Give the path of a thumbnail that is in the cache."""
    with Wire(url) as wire:
        path: str = wire.add()["thumbnails"][0]
        return path


def test_hits_keep_their_place_among_others(url: str, hit: str) -> None:
    with Wire(url) as wire:
        asked = request("GET", hit)
        wire.send(asked, MISSING, asked, asked, GET, asked)
        kinds = [wire.answer().fields["content-type"] for _ in range(6)]
        picture, listing, problem = "image/jpeg", "application/json", "application/problem+json"
        assert kinds == [picture, problem, picture, picture, listing, picture]


def test_hits_wait_for_a_reader_who_is_slow_to_begin(url: str, hit: str) -> None:
    with Wire(url, receive_buffer_bytes=4096) as wire:
        wire.send(request("GET", hit) * 1000)
        first = wire.answer().body
        assert {wire.answer().body for _ in range(999)} == {first}
        assert wire.get("/images").status == 200


def test_nothing_is_answered_behind_a_hit_that_is_the_last_request(url: str, hit: str) -> None:
    with Wire(url) as wire:
        wire.send(request("GET", hit, "Connection: close"), GET)
        assert wire.answer().is_last
        assert wire.rest() == b""


def test_a_request_behind_an_upload_waits_for_it(url: str) -> None:
    with Wire(url) as wire:
        wire.send(upload(f"Content-Length: {len(PICTURE)}"), PICTURE, GET)
        made = wire.answer()
        assert made.status == 201
        assert made.image_id in wire.answer().body.decode()


@pytest.mark.parametrize(
    "garbage",
    [b"GARBAGE\r\n\r\n", upload("Transfer-Encoding: chunked") + b"no chunk\r\n"],
    ids=["no head", "no body"],
)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_garbage_behind_requests_does_not_cost_their_answers(
    url: str, count: int, garbage: bytes
) -> None:
    with Wire(url) as wire:
        wire.send(GET * count, garbage)
        assert [wire.answer().status for _ in range(count)] == [200] * count
        assert wire.rest() == b""


def test_nothing_is_answered_behind_the_last_request(url: str) -> None:
    with Wire(url) as wire:
        wire.send(request("GET", "/images", "Connection: close"), GET)
        assert wire.answer().is_last
        assert wire.rest() == b""


def test_nothing_is_answered_behind_a_body_that_nobody_reads(url: str) -> None:
    with Wire(url) as wire:
        # To a server that lost its place, the body would be a request of its own.
        wire.send(request("GET", "/images", f"Content-Length: {len(MISSING)}"), MISSING)
        answer = wire.answer()
        assert answer.status == 200
        assert answer.is_last
        assert wire.rest() == b""
