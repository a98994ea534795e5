"""Requests that do not follow RFC 9112, or only just do: one answer, or a clean end."""

import pytest

from tests.wire.raw import PICTURE, Wire, request, upload

CHUNKED = upload("Transfer-Encoding: chunked")
LAST = b"0\r\n\r\n"


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


MALFORMED = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100,
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version that is to come": request("GET", "/images", version="9.9"),
    "a method that is none": request("FOO", "/images"),
    "a tunnel": request("CONNECT", "example.com:443"),
    "a tunnel to a path": request("CONNECT", "/images"),
    "a path without its slash": request("GET", "images"),
    "a NUL in the path": request("GET", "/images\0"),
    "a carriage return in the path": request("GET", "/images\r"),
    "bytes in the path that are not ASCII": request("GET", "/images/\xe4"),
    "a query that is not ASCII": request("GET", "/images?limit=\xb9"),
    "a NUL in a field": request("GET", "/images", "X: a\0b"),
    "a carriage return in a field": request("GET", "/images", "X: a\rb"),
    "a folded field": request("GET", "/images", "X: a\r\n b"),
    "a folded first field": b"GET /images HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "a space before the colon": request("GET", "/images", "X : a"),
    "no colon": request("GET", "/images", "X"),
    "no name": request("GET", "/images", ": a"),
    "lines that end in a line feed": b"GET /images HTTP/1.1\nHost: localhost\n\n",
    "two lengths": upload("Content-Length: 5", "Content-Length: 6") + b"abcdef",
    "a list of lengths": upload("Content-Length: 5, 5") + b"abcde",
    "a length with a sign": upload("Content-Length: +5") + b"abcde",
    "a length below nothing": upload("Content-Length: -5") + b"abcde",
    "a length in base 16": upload("Content-Length: 0x5") + b"abcde",
    "a length beyond all bounds": upload(f"Content-Length: {'9' * 30}") + b"abcde",
    "a length and chunks": upload("Content-Length: 5", "Transfer-Encoding: chunked") + LAST,
    "chunks and a length": upload("Transfer-Encoding: chunked", "Content-Length: 5") + LAST,
    "chunks twice": upload("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + LAST,
    "a coding behind the chunks": upload("Transfer-Encoding: chunked, gzip") + LAST,
    "a coding that is none": upload("Transfer-Encoding: xchunked") + LAST,
    "a chunk size that is none": CHUNKED + b"xyz\r\nabc\r\n" + LAST,
    "a chunk size below nothing": CHUNKED + b"-5\r\nabcde\r\n" + LAST,
    "a chunk size with a prefix": CHUNKED + b"0x5\r\nabcde\r\n" + LAST,
    "a chunk size beyond all bounds": CHUNKED + b"f" * 17 + b"\r\nabcde\r\n" + LAST,
    "a chunk longer than its size": CHUNKED + b"5\r\nabcdef\r\n" + LAST,
    "chunks that end in a line feed": CHUNKED + b"5\nabcde\n0\n\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed_is_refused_and_ends_the_connection(url: str, sent: bytes) -> None:
    with Wire(url) as wire:
        wire.send(sent)
        answer = wire.answer()
        assert (answer.status, answer.code) == (400, "bad-request")
        assert answer.is_last
        assert wire.rest() == b""


@pytest.mark.parametrize("version", ["0.9", "2.0"])
def test_other_versions_are_not_spoken(url: str, version: str) -> None:
    with Wire(url) as wire:
        wire.send(request("GET", "/images", version=version))
        assert wire.answer().status == 505
        assert wire.rest() == b""


HOSTLESS = {
    "none": b"\r\n",
    "two": b"Host: localhost\r\nHost: localhost\r\n\r\n",
    "a port that is none": b"Host: localhost:http\r\n\r\n",
    "a port that is missing": b"Host: localhost:\r\n\r\n",
    "an address without its end": b"Host: [::1\r\n\r\n",
    "a user": b"Host: somebody@localhost\r\n\r\n",
    "a path": b"Host: localhost/images\r\n\r\n",
    "bytes that are not ASCII": b"Host: l\xf6calhost\r\n\r\n",
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("fields", HOSTLESS.values(), ids=HOSTLESS)
def test_a_request_names_one_host(url: str, method: str, fields: bytes) -> None:
    with Wire(url) as wire:
        wire.send(f"{method} /images HTTP/1.1\r\n".encode(), fields)
        answer = wire.answer()
        assert (answer.status, answer.code) == (400, "host-needed")


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]", "[::1]:80", "xn--bcher-kva.example"],
)
def test_a_host_is_a_name_or_an_address_with_or_without_a_port(url: str, host: str) -> None:
    with Wire(url) as wire:
        wire.send(f"GET /images HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert wire.answer().status == 200


def test_an_old_client_need_not_name_a_host_and_is_left_at_the_end(url: str) -> None:
    with Wire(url) as wire:
        wire.send(b"GET /images HTTP/1.0\r\n\r\n")
        answer = wire.answer()
        assert answer.status == 200
        assert answer.is_last
        assert wire.rest() == b""


def test_an_old_client_that_asks_to_stay_is_answered(url: str) -> None:
    with Wire(url) as wire:
        wire.send(request("GET", "/images", "Connection: keep-alive", version="1.0"))
        answer = wire.answer()
        assert answer.status == 200
        # RFC 9112, section 9.3, lets a server end it all the same, if it says so.
        assert answer.is_last
        assert wire.rest() == b""


def test_chunks_make_a_body(url: str) -> None:
    half = len(PICTURE) // 2
    with Wire(url) as wire:
        wire.send(CHUNKED, _chunk(PICTURE[:half]), _chunk(PICTURE[half:]), LAST)
        assert wire.answer().status == 201
        assert wire.get("/images").status == 200


def test_fields_behind_a_body_are_passed_over(url: str) -> None:
    with Wire(url) as wire:
        wire.send(CHUNKED, _chunk(PICTURE), b"0\r\nHost: elsewhere\r\nExpect: nothing\r\n\r\n")
        assert wire.answer().status == 201
        assert wire.get("/images").status == 200


ENDLESS = {
    "a chunk's extension": CHUNKED + b"5;" + b"a" * 500_000,
    "fields behind the body": CHUNKED + _chunk(b"abcde") + b"0\r\n" + b"X: a\r\n" * 100_000,
    "a field behind the body": CHUNKED + _chunk(b"abcde") + b"0\r\nX: " + b"a" * 500_000,
}


@pytest.mark.parametrize("sent", ENDLESS.values(), ids=ENDLESS)
def test_what_stands_around_a_body_is_bounded_as_a_head_is(url: str, sent: bytes) -> None:
    with Wire(url) as wire:
        wire.send(sent)
        assert wire.answer().status == 431
        assert wire.rest() == b""
