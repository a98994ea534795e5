"""The head of an answer goes out together with its body: to wake who reads costs more than both."""

import sys

import pytest

from tests.wire.raw import Wire, request

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="others do not count segments")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/images", 200), ("GET", "/nothing", 404), ("DELETE", "/images", 405)],
)
def test_an_answer_is_one_segment(url: str, method: str, path: str, status: int) -> None:
    with Wire(url) as wire:
        for count in (1, 2):
            wire.send(request(method, path))
            assert wire.answer().status == status
            assert wire.segments == count


def test_an_original_comes_with_its_head(url: str) -> None:
    with Wire(url) as wire:
        view = wire.add()
        before = wire.segments
        wire.send(request("GET", view["image"]))
        assert wire.answer().status == 200
        assert wire.segments == before + 1


def test_answers_of_all_kinds_keep_their_place(url: str) -> None:
    with Wire(url) as wire:
        view = wire.add()
        etag = wire.get(view["image"]).fields["etag"]
        known = request("GET", view["image"], f"If-None-Match: {etag}")
        hit, head = request("GET", view["thumbnails"][0]), request("HEAD", view["image"])
        gone = request("DELETE", f"/images/{view['id']}")
        wire.send(known, hit, head, hit, known, request("OPTIONS", "/images"), hit, gone, head)
        told = [wire.answer(to_head=number in {2, 8}).status for number in range(9)]
        assert told == [304, 200, 200, 200, 304, 200, 200, 204, 410]


def test_a_head_without_a_body_waits_for_none(url: str) -> None:
    with Wire(url) as wire:
        for count in (1, 2):
            wire.send(request("HEAD", "/images"))
            assert wire.answer(to_head=True).status == 200
            assert wire.segments == count
