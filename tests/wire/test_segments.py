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


def test_a_head_without_a_body_waits_for_none(url: str) -> None:
    with Wire(url) as wire:
        for count in (1, 2):
            wire.send(request("HEAD", "/images"))
            assert wire.answer(to_head=True).status == 200
            assert wire.segments == count
