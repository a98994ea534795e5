"""A bucket that fails before or in the middle of an answer."""

import pytest

from tests.servers import Service
from tests.wire.proxy import Proxy
from tests.wire.raw import PICTURE, Wire, request, upload

CUT_AFTER_BYTES = 4_000_000


@pytest.fixture
def service(distant_service: Service, proxy: Proxy) -> Service:
    """Give the service whose bucket is behind `proxy`."""
    return distant_service


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_bucket_that_is_away_is_a_problem_that_passes(
    service: Service, proxy: Proxy, long_path: str, method: str
) -> None:
    path = long_path.removesuffix(".jpeg") if method == "DELETE" else long_path
    proxy.is_down = True
    with Wire(service.url) as wire:
        wire.send(request(method, path))
        answer = wire.answer(to_head=method == "HEAD")
        assert answer.status == 503
        assert answer.fields["content-type"] == "application/problem+json"
        assert answer.fields["cache-control"] == "no-store"
        assert int(answer.fields["retry-after"]) > 0
        proxy.is_down = False
        assert wire.get(long_path).status == 200


def test_an_upload_finds_a_bucket_that_is_away(service: Service, proxy: Proxy) -> None:
    with Wire(service.url) as wire:
        listed = wire.get("/images").body
        proxy.is_down = True
        wire.send(upload(f"Content-Length: {len(PICTURE)}"), PICTURE)
        answer = wire.answer()
        assert (answer.status, answer.code) == (503, "store-unavailable")
        proxy.is_down = False
        assert wire.get("/images").body == listed


@pytest.mark.parametrize("fields", [[], ["Range: bytes=1000-"]], ids=["whole", "range"])
def test_a_bucket_that_fails_in_mid_answer_cuts_the_answer(
    service: Service, proxy: Proxy, long_path: str, fields: list[str]
) -> None:
    before = len(service.log)
    proxy.cut_after_bytes = CUT_AFTER_BYTES
    with Wire(service.url) as wire:
        wire.send(request("GET", long_path, *fields))
        _, head = wire.answer_head()
        assert 0 < len(wire.rest()) < int(head["content-length"])
    proxy.cut_after_bytes = None
    with Wire(service.url) as wire:
        assert wire.get(long_path).status == 200
    assert "Traceback" not in service.log[before:]
    assert "store-unavailable in mid-answer" in service.log[before:]
