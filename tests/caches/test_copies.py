"""What the caches keep and give, from the files in `infra/`, in front of a running asgilook."""

from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest

from tests.caches.site import FRESH_S, REVALIDATE_S, Site, is_hit
from tests.e2e.steps import eventually
from tests.faults.proxy import Fault
from tests.wire.raw import Wire

STAND_IN = Fault(
    http_answer=b"HTTP/1.1 302 Found\r\nlocation: /thumbnails/another.webp\r\n"
    b"cache-control: max-age=5\r\ncontent-length: 0\r\n\r\n"
)
"""What an origin says that is busy."""


@pytest.fixture(params=["original", "thumbnail", "json", "listing"])
def path(request: pytest.FixtureRequest, site: Site) -> str:
    """Give the path of something that nobody has asked the cache for."""
    view = site.add()
    return {
        "original": str(view["image"]),
        "thumbnail": str(view["thumbnails"][0]),
        "json": f"/images/{view['id']}",
        "listing": site.listing(),
    }[request.param]


@pytest.fixture
def image(site: Site) -> str:
    return str(site.add()["image"])


def test_what_was_asked_for_once_is_not_asked_for_again(site: Site, path: str) -> None:
    first, second = site.get(path), site.get(path)

    assert (first.status_code, is_hit(first)) == (200, False)
    assert (second.status_code, is_hit(second)) == (200, True)
    assert second.content == first.content == site.origin.get(path).content
    assert second.headers["etag"] == first.headers["etag"]
    assert site.statuses(path) == [200]


def test_a_client_that_has_it_is_told_so_without_the_origin(site: Site, path: str) -> None:
    etag = site.get(path).headers["etag"]

    for condition in (etag, f"W/{etag.removeprefix('W/')}"):
        answer = site.get(path, if_none_match=condition)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"].endswith(etag.removeprefix("W/"))
    assert site.get(path, if_none_match='"other"').status_code == 200
    assert site.statuses(path) == [200]


def test_a_date_is_as_good_as_an_etag(site: Site, image: str) -> None:
    date = site.get(image).headers["last-modified"]

    assert site.get(image, if_modified_since=date).status_code == 304
    assert site.get(image, if_modified_since=formatdate(0, usegmt=True)).status_code == 200
    assert site.statuses(image) == [200]


@pytest.mark.parametrize("is_cold", [True, False])
def test_ranges_come_from_the_copy(site: Site, image: str, *, is_cold: bool) -> None:
    whole = site.origin.get(image).content
    size = len(whole)
    if not is_cold:
        site.get(image)

    for asked, part in {
        "bytes=0-99": slice(100),
        "bytes=100-": slice(100, None),
        "bytes=-100": slice(-100, None),
        f"bytes=1000-{size + 9}": slice(1000, None),
    }.items():
        answer = site.get(image, range=asked)
        first, last, _ = part.indices(size)
        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes {first}-{last - 1}/{size}"
        assert answer.content == whole[part]
    assert site.get(image, range=f"bytes={size}-").status_code == 416
    assert site.statuses(image) == [200]


def test_a_range_holds_only_for_the_copy_it_was_meant_for(site: Site, image: str) -> None:
    etag = site.get(image).headers["etag"]

    assert site.get(image, range="bytes=0-9", if_range=etag).status_code == 206
    assert site.get(image, range="bytes=0-9", if_range='"other"').status_code == 200


@pytest.mark.parametrize("kind", ["original", "thumbnail"])
def test_all_who_ask_at_once_wait_for_one_answer(site: Site, kind: str) -> None:
    view = site.add((1600, 1200))
    thumbnail = view["thumbnails"][0].replace("jpeg", "avif")  # takes a while to make
    path = view["image"] if kind == "original" else thumbnail

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(site.get, [path] * 20))

    assert {answer.status_code for answer in results} == {200}
    assert {answer.content for answer in results} == {site.origin.get(path).content}
    assert site.statuses(path) == [200]


def test_all_are_sent_to_a_stand_in_by_one_answer_that_is_kept_for_seconds(site: Site) -> None:
    path = site.add()["thumbnails"][0].replace("jpeg", "avif")
    before = site.hop.requests

    with site.hop.failing(STAND_IN):
        assert [site.get(path).status_code for _ in range(2)] == [302, 302]
        assert site.hop.requests - before == 1
        site.clock.move_on(FRESH_S + 1)
        site.get(path)
    assert site.hop.requests - before == 2


def test_head_is_answered_from_the_copy_of_get(site: Site, path: str) -> None:
    cold, get, warm = site.cache.head(path), site.get(path), site.cache.head(path)

    assert [one.method for one in site.hop.asked if one.target == path] == ["GET"]
    assert is_hit(get)
    for head in (cold, warm):
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["etag"] == get.headers["etag"]


def test_head_tells_the_length_of_an_image(site: Site, image: str) -> None:
    cold, get, warm = site.cache.head(image), site.get(image), site.cache.head(image)

    for answer in (cold, get, warm):
        assert int(answer.headers["content-length"]) == len(get.content)


def test_a_query_makes_no_second_copy_of_an_image(site: Site) -> None:
    view = site.add()
    for path in (view["image"], view["thumbnails"][0], f"/images/{view['id']}"):
        for query in ("", "?", "?cb=1", "?limit=1&x=%00", "?a?b"):
            assert site.get(path + query).status_code == 200
        assert site.statuses(path) == [200]
        assert not any(one.target.startswith(f"{path}?") for one in site.hop.asked)


def test_the_listing_has_a_copy_for_each_page(site: Site) -> None:
    for _ in range(2):
        site.add()
    newest = site.get("/images?limit=1&cursor=ffffffff-ffff-7fff-bfff-ffffffffffff")
    older = site.get(newest.links["next"]["url"])

    assert older.status_code == 200
    assert len(older.json()) == 1
    assert older.json() != newest.json()


def test_nothing_about_the_reader_makes_a_second_copy(site: Site, image: str) -> None:
    readers: list[dict[str, str]] = [
        {},
        {"cookie": "who=me"},
        {"authorization": "Bearer nonsense"},
        {"origin": "https://elsewhere.example"},
        {"accept": "image/avif,*/*;q=0.1", "accept_language": "fy", "user_agent": "robot"},
        {"host": "elsewhere.example", "x_forwarded_host": "evil.example"},
        {"cache_control": "no-cache", "pragma": "no-cache"},
    ]
    results = [site.get(image, **reader) for reader in readers]

    assert {answer.status_code for answer in results} == {200}
    assert not any({"set-cookie", "vary"} & answer.headers.keys() for answer in results)
    assert site.statuses(image) == [200]


def test_a_client_of_http_1_0_need_not_name_a_host(site: Site, image: str) -> None:
    with Wire(str(site.cache.base_url)) as wire:
        wire.send(f"GET {image} HTTP/1.0\r\n\r\n".encode())
        assert wire.answer_head()[0] == 200
    assert site.statuses(image) == [200]


def test_another_spelling_does_not_spoil_the_copy(site: Site, image: str) -> None:
    others = [
        f"/{image}",
        image.replace("-", "%2d"),
        image.replace("/images", "/%69mages"),
        f"/x/..%2f{image}",
        image.upper(),
        f"{image}/",
    ]

    assert {site.get(other).status_code for other in others} == {404}
    assert site.get(image).status_code == 200


def test_a_listing_is_renewed_behind_the_back_of_who_asks(site: Site) -> None:
    path = site.listing()
    before = site.get(path).json()
    added = site.add()
    site.clock.move_on(FRESH_S + 1)

    assert site.get(path).json() == before
    assert eventually(lambda: added in site.get(path).json())
    assert site.statuses(path) == [200, 200]


def test_a_listing_that_has_not_changed_costs_a_304(site: Site) -> None:
    path = site.listing()
    before = site.get(path)
    site.clock.move_on(FRESH_S + REVALIDATE_S + 1)
    after = site.get(path)

    assert (after.status_code, after.content) == (200, before.content)
    assert site.statuses(path) == [200, 304]
    assert is_hit(site.get(path))


def test_after_a_while_a_listing_is_never_an_old_one(site: Site) -> None:
    path = site.listing()
    site.get(path)
    added = site.add()
    site.clock.move_on(FRESH_S + REVALIDATE_S + 1)

    assert site.get(path).json()[0] == added
    assert site.statuses(path) == [200, 200]


def test_json_is_compressed_for_who_can_take_it(site: Site) -> None:
    for _ in range(3):
        site.add()  # a short list is left as it is
    path = site.listing()
    for _ in range(2):
        plain = site.get(path, accept_encoding="identity")
        packed = site.get(path, accept_encoding="gzip")

        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == plain.content
        assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
        assert packed.headers["etag"].startswith('W/"')
    assert site.statuses(path) == [200]
