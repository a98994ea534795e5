"""What the caches make of an origin that fails."""

import httpx
import pytest

from asgilook.ids import uuid7
from tests.caches.site import FRESH_S, Site
from tests.e2e.steps import eventually
from tests.faults.proxy import Fault, Proxy

HOUR_S = 3600
AWAY = Fault(reset_after_bytes=0)


@pytest.fixture(params=["origin", "bucket"])
def trouble(request: pytest.FixtureRequest, site: Site) -> Proxy:
    """Give what can be cut off: without its bucket the origin answers 503."""
    return site.hop if request.param == "origin" else site.store


def test_an_old_listing_is_better_than_none(site: Site, trouble: Proxy) -> None:
    path = site.listing()
    before = site.get(path)
    site.clock.move_on(HOUR_S)

    with trouble.failing(AWAY):
        during = site.get(path)
    assert (during.status_code, during.content) == (200, before.content)

    added = site.add()
    assert eventually(lambda: added in site.get(path).json())


def test_images_do_not_need_the_origin(site: Site, trouble: Proxy) -> None:
    view = site.add()
    paths = [view["image"], *view["thumbnails"]]
    before = [site.get(path).content for path in paths]
    site.clock.move_on(HOUR_S)

    with trouble.failing(AWAY):
        assert [site.get(path).content for path in paths] == before


def test_a_listing_is_not_shown_for_days(site: Site) -> None:
    path = site.listing()
    site.get(path)
    site.clock.move_on(25 * HOUR_S)

    with site.hop.failing(AWAY):
        answer = site.get(path)
    assert answer.status_code == 503
    assert answer.json()["code"] == "origin-unreachable"


def test_a_failure_is_a_problem_that_nobody_keeps(site: Site, trouble: Proxy) -> None:
    path = site.add()["image"]

    with trouble.failing(AWAY):
        failed = site.get(path)
    assert failed.status_code == failed.json()["status"] == 503
    assert failed.headers["content-type"] == "application/problem+json"
    assert failed.headers["cache-control"] == "no-store"
    assert int(failed.headers["retry-after"]) > 0
    assert site.get(path).status_code == 200


def test_half_an_answer_is_not_taken_for_the_whole(site: Site) -> None:
    path = site.add((1600, 1200))["image"]
    whole = site.origin.get(path).content
    site.hop.bodies_end_after_bytes = len(whole) // 2
    try:
        cut = site.get(path)
    except httpx.RemoteProtocolError:
        pass  # Most often the cache is passing on what it receives already, and is cut itself.
    else:
        assert cut.status_code == 503
    finally:
        site.hop.bodies_end_after_bytes = None

    answer = site.get(path)
    assert (answer.status_code, answer.content) == (200, whole)
    # An interrupted answer may be asked for once more, but what came of it is never used.
    assert len(site.statuses(path)) >= 2


def test_what_is_missing_is_missing_for_seconds_only(site: Site) -> None:
    path = f"/images/{uuid7()}.jpeg"

    assert [site.get(path).status_code for _ in range(2)] == [404, 404]
    assert site.statuses(path) == [404]
    site.clock.move_on(FRESH_S + 1)
    assert site.get(path).status_code == 404
    assert site.statuses(path) == [404, 404]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/images?limit=0", 400),
        (f"/signed/{'A' * 43}/contain/01a206b7-84c7-734c-b025-d05c2f8ed4e3/9x9.jpeg", 403),
    ],
)
def test_a_refusal_is_not_kept(site: Site, path: str, status: int) -> None:
    asked = len(site.statuses(path))

    assert [site.get(path).status_code for _ in range(2)] == [status, status]
    assert site.statuses(path)[asked:] == [status, status]


def test_who_runs_asgilook_asks_it_directly(site: Site) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert site.get(path).status_code == 404
        assert site.statuses(path) == []
