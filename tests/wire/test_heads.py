"""What the head of a request may cost: its bytes, its fields and its time."""

import pytest

from tests.wire.raw import Wire, request

TOO_LARGE = {
    "a long field": request("GET", "/images", f"X-Long: {'a' * 40_000}"),
    "a long path": request("GET", f"/{'a' * 40_000}"),
    "many fields": request("GET", "/images", *(f"X-{place}: a" for place in range(200))),
    "no end": b"GET /images HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 40_000,
    "nothing but empty lines": b"\r\n" * 200_000,
}


@pytest.mark.parametrize("head", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_head_that_is_too_large_is_refused(url: str, head: bytes) -> None:
    with Wire(url) as wire:
        wire.send(head)
        answer = wire.answer()
        assert (answer.status, answer.code) == (431, "head-too-large")
        assert answer.is_last
        assert wire.rest() == b""


def test_a_head_that_grows_piece_by_piece_is_refused_just_the_same(url: str) -> None:
    with Wire(url) as wire:
        wire.send(b"GET /images HTTP/1.1\r\nHost: localhost\r\n")
        wire.send_until_refused(f"X-Piece: {'a' * 1000}\r\n".encode())
        assert wire.answer().status == 431


def test_a_head_may_be_as_large_as_a_browser_makes_it(url: str) -> None:
    cookies = (f"Cookie: c{place}={'a' * 4000}" for place in range(7))
    with Wire(url) as wire:
        wire.send(request("GET", "/images", *cookies))
        assert wire.answer().status == 200


def test_a_body_does_not_count_for_the_head_behind_it(url: str) -> None:
    body = b"a" * 200_000
    with Wire(url) as wire:
        head = request("POST", "/images", f"Content-Length: {len(body)}")
        wire.send(head, body, b"GET /images HTTP/1.1\r\n")
        wire.send(b"Host: localhost\r\n\r\n")
        assert [wire.answer().status for _ in range(2)] == [415, 200]


def test_a_head_in_many_pieces_is_a_head(url: str) -> None:
    with Wire(url) as wire:
        for byte in request("GET", "/images"):
            wire.send(bytes([byte]))
        assert wire.answer().status == 200


@pytest.mark.parametrize(
    "start", [b"", b"\r\n", b"GE", b"GET /images HTTP/1.1\r\nHost: localhost\r\n"]
)
def test_a_head_that_does_not_come_is_not_waited_for(hasty_url: str, start: bytes) -> None:
    with Wire(hasty_url) as wire:
        wire.send(start)
        answer = wire.answer()
        assert (answer.status, answer.code) == (408, "head-too-slow")
        assert answer.is_last
        assert wire.rest() == b""


def test_a_head_that_trickles_in_is_not_waited_for(hasty_url: str) -> None:
    with Wire(hasty_url) as wire:
        wire.send(b"GET /images HTTP/1.1\r\n")
        wire.send_until_refused(b"X: a\r\n", pause_s=0.1)
        assert wire.answer().status == 408


def test_the_second_head_of_a_connection_has_no_more_time(hasty_url: str) -> None:
    with Wire(hasty_url) as wire:
        assert wire.get("/images").status == 200
        wire.send(b"GET /images HTTP/1.1\r\n")
        assert wire.answer().status == 408
        assert wire.rest() == b""


def test_an_idle_connection_is_closed_without_a_word(hasty_url: str) -> None:
    with Wire(hasty_url) as wire:
        assert wire.get("/images").status == 200
        assert wire.rest() == b""


def test_an_empty_line_behind_an_answer_buys_no_time(hasty_url: str) -> None:
    with Wire(hasty_url) as wire:
        assert wire.get("/images").status == 200
        wire.send(b"\r\n")
        assert wire.answer().status == 408
        assert wire.rest() == b""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (request("HEAD", "/images", f"X-Long: {'a' * 40_000}"), 431),
        (request("HEAD", "/images", "no field"), 400),
        (b"HEAD /images HTTP/1.1\r\n", 408),
    ],
)
def test_a_refusal_of_a_head_request_has_no_body(hasty_url: str, head: bytes, status: int) -> None:
    with Wire(hasty_url) as wire:
        wire.send(head)
        assert wire.answer(to_head=True).status == status
        assert wire.rest() == b""


def test_what_is_refused_behind_a_head_request_has_a_body(hasty_url: str) -> None:
    with Wire(hasty_url) as wire:
        wire.send(request("HEAD", "/images"))
        assert wire.answer(to_head=True).status == 200
        wire.send(b"no request\r\n\r\n")
        assert wire.answer().code == "bad-request"
