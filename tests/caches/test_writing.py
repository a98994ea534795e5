"""What passes through the caches to change something."""

from collections.abc import Iterator

import pytest

from tests import pictures
from tests.caches.site import FRESH_S, Site, upload
from tests.e2e.steps import eventually
from tests.faults.proxy import Fault


def test_an_upload_passes_and_is_there_at_once(site: Site) -> None:
    made = upload(site.cache, (1600, 1200))
    view = made.json()

    assert made.headers["cache-control"] == "no-store"
    for path in (made.headers["location"], *view["thumbnails"]):
        assert site.get(path).status_code == 200
    assert site.get(f"/images/{view['id']}").json() == view


def test_an_upload_is_listed_when_the_copy_is_old(site: Site) -> None:
    path = site.listing()
    site.get(path)
    view = upload(site.cache).json()
    site.clock.move_on(FRESH_S + 1)

    assert eventually(lambda: view in site.get(path).json())


def test_uploads_are_never_answered_from_a_copy(site: Site) -> None:
    first, second = (upload(site.cache) for _ in range(2))

    assert first.json()["id"] != second.json()["id"]


def test_the_origins_refusal_of_an_upload_arrives(site: Site) -> None:
    picture = pictures.upload()
    too_long = b"\xff" * (41 * 1024 * 1024)
    for body, fields, code in [
        (picture, {"content-type": "image/jpeg", "authorization": "Bearer x"}, "key-needed"),
        (picture, {"content-type": "text/html"}, "type-not-supported"),
        (picture[:1000], {"content-type": "image/jpeg"}, "picture-broken"),
        (too_long, {"content-type": "image/jpeg"}, "upload-too-large"),
    ]:
        refused = site.cache.post("/images", content=body, headers=fields)
        assert refused.json()["code"] == code


def test_an_upload_that_fails_is_not_sent_again_whatever_its_conditions(site: Site) -> None:
    fields = {"content-type": "image/jpeg", "if-none-match": "*"}
    asked = len(site.hop.asked)
    with site.store.failing(Fault(reset_after_bytes=0)):
        failed = site.cache.post("/images", content=pictures.upload(), headers=fields)

    assert failed.json()["code"] == "store-unavailable"
    assert [one.method for one in site.hop.asked[asked:]] == ["POST"]


def test_a_cut_upload_makes_nothing(site: Site) -> None:
    before = site.origin.get("/images?limit=1").json()

    def without_its_end() -> Iterator[bytes]:
        yield pictures.upload()
        raise InterruptedError

    with pytest.raises(InterruptedError):
        site.cache.post(
            "/images", content=without_its_end(), headers={"content-type": "image/jpeg"}
        )
    # What comes after it is done after it.
    view = upload(site.cache).json()
    assert site.origin.get("/images?limit=2").json() == [view, *before]


def test_the_origin_is_told_who_asks_behind_whom_they_say_they_ask_for(site: Site) -> None:
    path = site.listing()
    claims = {"x_forwarded_for": "203.0.113.9", "forwarded": "for=203.0.113.9"}
    site.get(path, **claims, x_request_id="from-the-client")

    asked = next(one for one in site.hop.asked if one.target == path)
    assert asked.fields["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
    assert not asked.fields.get("forwarded")
    assert asked.fields["x-request-id"] == "from-the-client"


def test_each_answer_has_the_id_of_its_own_request(site: Site) -> None:
    path = site.listing()
    answers = [site.get(path, x_request_id=name) for name in ("first", "second", "no good")]

    ids = [answer.headers.get_list("x-request-id") for answer in answers]
    assert ids[:2] == [["first"], ["second"]]
    assert ids[2] not in ([], ["no good"])


def test_connections_to_the_origin_are_used_again(site: Site) -> None:
    before = site.hop.connections
    for _ in range(5):
        assert site.get(site.listing()).status_code == 200
    assert site.hop.connections - before <= 1
