"""Offers to change the protocol, which are passed over (RFC 9110, section 7.8)."""

import pytest

from tests.wire.raw import PICTURE, Wire, request, upload

OFFERS = {
    "HTTP/2": ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
    "WebSocket": (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ),
}
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PICTURE), PICTURE)

offered = pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)


@offered
def test_a_request_with_an_offer_is_a_request(url: str, offer: tuple[str, ...]) -> None:
    with Wire(url) as wire:
        wire.send(request("GET", "/images", *offer) * 3)
        assert [wire.answer().status for _ in range(3)] == [200] * 3
        assert wire.get("/images").status == 200


@offered
@pytest.mark.parametrize(
    ("length", "body"),
    [(f"Content-Length: {len(PICTURE)}", PICTURE), ("Transfer-Encoding: chunked", CHUNKS)],
    ids=["announced", "chunked"],
)
def test_an_upload_with_an_offer_keeps_its_body(
    url: str, offer: tuple[str, ...], length: str, body: bytes
) -> None:
    with Wire(url) as wire:
        wire.send(upload(length, *offer), body, request("GET", "/images"))
        made = wire.answer()
        assert made.status == 201
        assert made.image_id in wire.answer().body.decode()


@offered
def test_an_offer_on_a_connection_that_is_to_end_is_passed_over_as_well(
    url: str, offer: tuple[str, ...]
) -> None:
    length = f"Content-Length: {len(PICTURE)}"
    ending = upload(length, *offer, "Connection: close")
    for head in (ending, upload(length, *offer, version="1.0")):
        with Wire(url) as wire:
            wire.send(head, PICTURE)
            assert wire.answer().status == 201
            assert wire.rest() == b""


@offered
def test_an_offer_makes_no_head_longer_than_it_may_be(url: str, offer: tuple[str, ...]) -> None:
    with Wire(url) as wire:
        wire.send(request("GET", "/images", *offer, *(f"X-{place}: a" for place in range(200))))
        assert wire.answer().status == 431
        assert wire.rest() == b""
