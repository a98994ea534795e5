"""What the caches forget, and how they are made to."""

import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from asgilook.http.urls import signed_path
from asgilook.image import Format, Size
from asgilook.signing import Signer
from asgilook.variant import Options
from tests import servers
from tests.caches import programs
from tests.caches.conftest import SIGNING_KEY
from tests.caches.site import Site, is_hit, upload
from tests.servers import ServiceOptions

MINUTE_S = 60


def test_nginx_forgets_a_deleted_image_within_ten_minutes(nginx: Site) -> None:
    gone, other = nginx.add(), nginx.add()
    paths = [one["image"] for one in (gone, other)]
    for path in paths:
        nginx.get(path)
    assert nginx.cache.delete(f"/images/{gone['id']}").status_code == 204
    nginx.clock.move_on(10 * MINUTE_S + 1)

    assert [nginx.get(path).status_code for path in paths] == [410, 200]
    assert [nginx.statuses(path) for path in paths] == [[200, 410], [200, 304]]
    assert is_hit(nginx.get(paths[1]))


def test_no_copy_outlives_the_path_that_it_was_asked_for_by(site: Site) -> None:
    options = Options(expires_s=int(time.time()) + MINUTE_S)
    image_id = UUID(site.add()["id"])
    path = signed_path(Signer([SIGNING_KEY]), options, image_id, Size(30, 30), Format.JPEG)
    assert site.get(path).status_code == 200
    site.clock.move_on(MINUTE_S + 1)

    site.get(path)
    assert len(site.statuses(path)) == 2


def test_varnish_keeps_an_image_for_a_year(varnish: Site) -> None:
    image = varnish.add()["image"]
    varnish.get(image)
    varnish.clock.move_on(364 * 24 * 60 * MINUTE_S)

    assert is_hit(varnish.get(image))
    assert varnish.statuses(image) == [200]


def test_varnish_forgets_at_once_what_is_deleted_through_it(varnish: Site) -> None:
    gone, other, listing = varnish.add(), varnish.add(), varnish.listing()
    for path in (*_all_paths(gone), *_all_paths(other), listing):
        varnish.get(path)
    assert varnish.cache.delete(f"/images/{gone['id']}").status_code == 204

    assert {varnish.get(path).status_code for path in _all_paths(gone)} == {410}
    assert all(is_hit(varnish.get(path)) for path in _all_paths(other))
    assert gone["id"] not in [view["id"] for view in varnish.get(listing).json()]


def test_varnish_forgets_what_is_deleted_through_it_whatever_query_is_added(varnish: Site) -> None:
    gone = varnish.add()
    for path in _all_paths(gone):
        varnish.get(path)
    assert varnish.cache.delete(f"/images/{gone['id']}?why=no").status_code == 204

    assert {varnish.get(path).status_code for path in _all_paths(gone)} == {410}


def test_varnish_lists_at_once_what_is_uploaded_through_it(varnish: Site) -> None:
    listing = varnish.listing()
    varnish.get(listing)

    assert upload(varnish.cache).json() == varnish.get(listing).json()[0]


def test_varnish_forgets_what_it_is_told_to(varnish: Site) -> None:
    gone, other = varnish.add(), varnish.add()
    for path in (*_all_paths(gone), *_all_paths(other)):
        varnish.get(path)
    assert varnish.origin.delete(f"/images/{gone['id']}").status_code == 204
    assert all(is_hit(varnish.get(path)) for path in _all_paths(gone))

    tags = {"surrogate-key": f"img-{gone['id']} listing"}
    assert varnish.cache.request("PURGE", "/", headers=tags).status_code == 200

    assert {varnish.get(path).status_code for path in _all_paths(gone)} == {410}
    assert all(is_hit(varnish.get(path)) for path in _all_paths(other))


def test_varnish_is_told_of_deletions_that_it_does_not_see(
    tmp_path: Path, moto_url: str, bucket: str
) -> None:
    servers.make_bucket(moto_url, bucket)
    port = servers.free_port()
    settings = {
        "S3_BUCKET": bucket,
        "S3_ENDPOINT_URL": moto_url,
        "CDN": "varnish",
        "CDN_URL": f"http://127.0.0.1:{port}",
    }
    with (
        servers.service(ServiceOptions(tmp_path, settings)) as service,
        programs.varnish(tmp_path, service.url, port) as (cache_url, _),
        httpx.Client(base_url=service.url) as origin,
        httpx.Client(base_url=cache_url) as cache,
    ):
        gone, other = (upload(origin).json() for _ in range(2))
        for path in (*_all_paths(gone), *_all_paths(other), "/images"):
            cache.get(path)
        assert all(is_hit(cache.get(path)) for path in (*_all_paths(gone), "/images"))

        assert origin.delete(f"/images/{gone['id']}").status_code == 204

        assert {cache.get(path).status_code for path in _all_paths(gone)} == {410}
        assert [view["id"] for view in cache.get("/images").json()] == [other["id"]]
        assert all(is_hit(cache.get(path)) for path in _all_paths(other))


def test_varnish_takes_no_orders_from_strangers(varnish: Site) -> None:
    view = varnish.add()
    varnish.get(view["image"])
    from_elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(base_url=varnish.cache.base_url, transport=from_elsewhere) as stranger:
        tags = {"surrogate-key": f"img-{view['id']}", "x-forwarded-for": "127.0.0.1"}
        assert stranger.request("PURGE", "/", headers=tags).status_code == 403

    assert is_hit(varnish.get(view["image"]))


def _all_paths(view: dict[str, Any]) -> list[str]:
    return [f"/images/{view['id']}", view["image"], *view["thumbnails"]]
