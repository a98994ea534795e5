"""Keys and signatures: asked for before anything is done, and never repeated."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from asgilook.http.access import hash_key
from asgilook.http.urls import signed_path
from asgilook.image import Format, Size
from asgilook.signing import Signer
from asgilook.variant import Fit, Options
from tests import servers
from tests.e2e.steps import eventually
from tests.servers import Service, ServiceOptions
from tests.wire.raw import PICTURE, Answer, Wire, request, upload

API_KEY = "canary-of-the-key"
SIGNING_KEY = "5e" * 32
QUERY = "canary-of-the-query"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    keys = {"API_KEYS": hash_key(API_KEY).hex(), "SIGNING_KEYS": SIGNING_KEY}
    with servers.service(ServiceOptions(tmp_path_factory.mktemp("keyed"), keys)) as one:
        yield one


def _add(service: Service, authorization: str) -> Answer:
    with Wire(service.url) as wire:
        wire.send(upload(f"Authorization: {authorization}", f"Content-Length: {len(PICTURE)}"))
        wire.send(PICTURE)
        return wire.answer()


@pytest.mark.parametrize("shown", [[], ["Authorization: Bearer no"], ["Authorization: Bearer"]])
def test_who_shows_no_key_is_refused_before_the_body_is_asked_for(
    service: Service, shown: list[str]
) -> None:
    with Wire(service.url) as wire:
        wire.send(upload("Expect: 100-continue", "Content-Length: 9", *shown))
        answer = wire.answer()
        assert (answer.status, answer.code) == (401, "key-needed")
        assert answer.is_last


def test_no_key_comes_into_the_log(service: Service) -> None:
    assert _add(service, f"Bearer {API_KEY}").status == 201
    for shown in (API_KEY, f"Basic {API_KEY}", f"Bearer {API_KEY} {API_KEY}", f"Bearer x{API_KEY}"):
        assert _add(service, shown).status == 401
    assert eventually(lambda: "POST /images 401" in service.log)
    assert API_KEY not in service.log


def test_no_signature_comes_into_the_log(service: Service) -> None:
    image_id, size = _add(service, f"Bearer {API_KEY}").image_id, Size(100, 80)
    options = Options(Fit.COVER, None, 1, None)
    path = signed_path(Signer([SIGNING_KEY]), options, UUID(image_id), size, Format.JPEG)
    signature = path.split("/")[2]
    with Wire(service.url) as wire:
        assert wire.get(path).status == 200
        assert wire.get(f"http://localhost{path}").status == 200
        assert wire.get(path.replace("cover", "contain")).status == 403
        for misspelled in (f"{path}.no", f"/{path}", f"/base{path}", path.rpartition("/cover")[0]):
            assert wire.get(misspelled).status == 404
        wire.send(request("GET", path, "X-Request-Id: the-last"))
    assert eventually(lambda: "id=the-last" in service.log)
    assert f"/signed/***/cover/{image_id}/100x80.jpeg 200" in service.log
    assert signature not in service.log
    assert SIGNING_KEY not in service.log


def test_no_idempotency_key_comes_into_the_log(service: Service) -> None:
    malformed = f"Idempotency-Key: {API_KEY} \x85\x9b"
    with Wire(service.url) as wire:
        wire.send(upload(f"Authorization: Bearer {API_KEY}", malformed, "Content-Length: 9"))
        assert wire.answer().code == "idempotency-key-malformed"
    assert eventually(lambda: "idempotency-key-malformed" in service.log)
    assert API_KEY not in service.log


def test_no_query_comes_into_the_log(service: Service) -> None:
    with Wire(service.url) as wire:
        assert wire.get(f"/images?key={QUERY}").status == 200
        assert wire.get(f"/images?limit={QUERY}").status == 400
        assert wire.get(f"/images?cursor={QUERY}").status == 400
        wire.send(request("GET", f"/nothing?{QUERY}", "X-Request-Id: the-last-query"))
    assert eventually(lambda: "id=the-last-query" in service.log)
    assert QUERY not in service.log
