"""A bucket that fails before or in the middle of an answer, with a real S3 behind the trouble."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from asgilook.store.s3 import CONNECTIONS
from tests import pictures, servers
from tests.e2e.steps import eventually
from tests.faults import s3
from tests.faults.proxy import Fault, Proxy, proxied
from tests.servers import Service, ServiceOptions
from tests.wire.raw import PICTURE, Answer, Wire, add_noise, request, upload

MIDDLE = 4_000_000
STORM = 200


@dataclass(frozen=True)
class Scene:
    """A service that gives its bucket little time, the way to that bucket, and pictures."""

    service: Service
    proxy: Proxy
    large_path: str
    view: dict[str, list[str]]

    def wire(self) -> Wire:
        return Wire(self.service.url)

    @property
    def cached_path(self) -> str:
        return self.view["thumbnails"][0]

    @property
    def id(self) -> str:
        return str(self.view["id"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, seaweedfs_url: str) -> Iterator[Scene]:
    servers.make_bucket(seaweedfs_url, "broken")
    with proxied(seaweedfs_url) as proxy:
        settings = {
            "S3_BUCKET": "broken",
            "S3_ENDPOINT_URL": proxy.url,
            "STORE_TIMEOUT": "2",
            "JPEG_QUALITY": "100",
        }
        options = ServiceOptions(tmp_path_factory.mktemp("broken"), settings)
        with servers.service(options) as service:
            large_path = add_noise(service.url, (5000, 3000))
            with Wire(service.url) as wire:
                body = pictures.upload()
                wire.send(upload(f"Content-Length: {len(body)}"), body)
                view = json.loads(wire.answer().body)
            yield Scene(service, proxy, large_path, view)


@pytest.fixture
def scene(made: Scene) -> Iterator[Scene]:
    """Give the scene, and look that the service is well again after all, as it is."""
    before = len(made.service.log)
    yield made
    assert eventually(lambda: _is_well(made))
    assert "Traceback" not in made.service.log[before:]


def _is_well(scene: Scene) -> bool:
    with scene.wire() as wire:
        return [wire.get(path).status for path in ("/readyz", scene.large_path)] == [200, 200]


@pytest.mark.parametrize("row", s3.FAULTS, ids=lambda row: row.name)
def test_what_needs_the_bucket_is_answered_in_time_and_the_rest_as_ever(
    scene: Scene, row: s3.Row
) -> None:
    before = len(scene.service.log)
    asked = {
        "GET original": request("GET", scene.large_path),
        "HEAD original": request("HEAD", scene.large_path),
        "GET listing": request("GET", "/images"),
        "GET thumbnail": request("GET", f"/thumbnails/{scene.id}/320x240.avif"),
        "DELETE image": request("DELETE", f"/images/{scene.id}"),
        "POST image": upload(f"Content-Length: {len(PICTURE)}") + PICTURE,
        "GET readiness": request("GET", "/readyz"),
        "GET hit": request("GET", scene.cached_path),
    }
    with scene.proxy.failing(row.fault), ExitStack() as stack:
        wires = {what: stack.enter_context(scene.wire()) for what in asked}
        for what, wire in wires.items():
            wire.send(asked[what])
        answers = {
            what: wire.answer(to_head=what.startswith("HEAD")) for what, wire in wires.items()
        }
    hit, ready = answers.pop("GET hit"), answers.pop("GET readiness")
    assert (hit.status, hit.fields["x-asgilook-cache"]) == (200, "Hit")
    for what, answer in answers.items():
        _check_trouble(answer, row, what)
    report = json.loads(ready.body)
    assert (ready.status, report["status"]) == (503, "unwell")
    assert (report["store"]["code"], report["cache"]) == (row.code, {"state": "ok"})
    assert " 500 " not in scene.service.log[before:]


def _check_trouble(answer: Answer, row: s3.Row, what: str) -> None:
    assert answer.status == row.status, what
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.fields["cache-control"] == "no-store"
    assert int(answer.fields["retry-after"]) > 0
    if not what.startswith("HEAD"):
        assert answer.code == row.code, what


def test_an_upload_that_is_not_kept_is_not_listed(scene: Scene) -> None:
    with scene.wire() as wire:
        listed = wire.get("/images").body
        with scene.proxy.failing(Fault(refuses=True)):
            wire.send(upload(f"Content-Length: {len(PICTURE)}"), PICTURE)
            assert wire.answer().status == 503
        assert wire.get("/images").body == listed


@pytest.mark.parametrize("fields", [[], ["Range: bytes=1000-"]], ids=["whole", "range"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(reset_after_bytes=MIDDLE),
        Fault(end_after_bytes=MIDDLE),
        Fault(stall_after_bytes=MIDDLE),
        Fault(bytes_a_second=50_000),
    ],
    ids=["reset", "closed", "stalled", "trickling"],
)
def test_a_bucket_that_fails_in_mid_answer_cuts_the_answer(
    scene: Scene, fault: Fault, fields: list[str]
) -> None:
    before = len(scene.service.log)
    with scene.proxy.failing(fault), scene.wire() as wire:
        wire.send(request("GET", scene.large_path, *fields))
        _, head = wire.answer_head()
        assert 0 < len(wire.rest()) < int(head["content-length"])
    assert "store-unavailable in mid-answer" in scene.service.log[before:]


def test_damaged_bytes_are_never_a_whole_picture(scene: Scene) -> None:
    with scene.proxy.failing(Fault(damaged_byte=MIDDLE)), scene.wire() as wire:
        wire.send(request("GET", scene.large_path))
        _, head = wire.answer_head()
        assert len(wire.rest()) < int(head["content-length"])
        thumbnail = scene.large_path.replace("/images/", "/thumbnails/").replace(".jpeg", "")
        with scene.wire() as other:
            assert other.get(f"{thumbnail}/312x187.webp").code == "store-broken"


@pytest.mark.parametrize(
    "fault", [Fault(refuses=True), Fault(stall_after_bytes=0)], ids=["refused", "hangs"]
)
async def test_a_storm_does_not_pile_up(scene: Scene, fault: Fault) -> None:
    limits = httpx.Limits(max_connections=STORM)
    accepted = scene.proxy.accepted
    async with httpx.AsyncClient(base_url=scene.service.url, limits=limits, timeout=60) as client:
        with scene.proxy.failing(fault):
            storm = [asyncio.create_task(client.get(scene.large_path)) for _ in range(STORM)]
            hit = await client.get(scene.cached_path)
            statuses = Counter(answer.status_code for answer in await asyncio.gather(*storm))
    assert hit.status_code == 200
    assert statuses.keys() <= {503, 504}
    assert scene.proxy.accepted - accepted <= 2 * STORM
    assert scene.proxy.most_connections <= CONNECTIONS
