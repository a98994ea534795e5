"""Signed paths that are valid for a time."""

import re
import time
from collections.abc import AsyncIterator

import pytest
from falcon.testing import Result

from asgilook.variant import Options
from tests.http.signed_site import Site, code, signed_site

# Read when the suite is collected: longer than any run of it.
IN_A_DAY = Options(expires_s=int(time.time()) + 86_400)
LONG_OVER = Options(expires_s=1_000_000_000)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with signed_site() as one:
        yield one


def lifetime_s(result: Result) -> int:
    match = re.fullmatch(r"max-age=([0-9]+)", result.headers["cache-control"])
    assert match
    return int(match[1])


async def test_a_path_whose_time_is_over_is_refused_without_any_work(site: Site) -> None:
    before = site.work
    refused = await site.client.get(site.path(LONG_OVER))
    assert code(refused) == (403, "signature-invalid")
    assert refused.headers["cache-control"] == "no-store"
    assert site.work == before


async def test_a_path_that_expires_is_kept_no_longer_than_that(site: Site) -> None:
    assert IN_A_DAY.expires_s is not None
    path = site.path(IN_A_DAY)
    etag = (await site.client.get(path)).headers["etag"]
    for method, headers in (
        ("GET", {}),
        ("HEAD", {}),
        ("GET", {"range": "bytes=0-0"}),
        ("GET", {"if-none-match": etag}),
    ):
        before_s = time.time()
        answer = await site.client.request(method, path, headers=headers)
        assert 0 < lifetime_s(answer) <= IN_A_DAY.expires_s - before_s


async def test_a_path_that_expires_in_many_years_is_kept_for_one(site: Site) -> None:
    assert lifetime_s(await site.client.get(site.path("contain,e9999999999"))) == 31536000


async def test_a_failure_on_a_path_that_expires_is_kept_by_no_cache(site: Site) -> None:
    for headers, status in (({"if_match": '"x"'}, 412), ({"range": "bytes=999999-"}, 416)):
        failed = await site.client.get(site.path(IN_A_DAY), **headers)
        assert failed.status_code == status
        assert failed.headers["cache-control"] == "no-store"
