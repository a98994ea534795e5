"""The promises of `asgilook/cdn/base.py`, on every CDN that there is.

Varnish is the real program, in `tests/caches`. CloudFront is moto, which takes more than AWS would.
Fastly and Cloudflare are what their documents say.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import botocore.session
import pytest

from asgilook.cdn import Purger
from asgilook.cdn.base import MAX_TAGS
from asgilook.cdn.cloudflare import CloudflarePurger
from asgilook.cdn.cloudfront import CloudFrontPurger
from asgilook.cdn.fastly import FastlyPurger
from asgilook.cdn.varnish import VarnishPurger
from asgilook.errors import PurgeFailed
from asgilook.ids import uuid7
from asgilook.tags import LISTING, of_image
from tests import servers
from tests.cdn import api
from tests.cdn.api import Api
from tests.faults.proxy import Fault, proxied
from tests.rooms import opened

Make = Callable[[str, str | None], Purger]


def fastly(token: str, url: str | None) -> Purger:
    return FastlyPurger("suite", token, url)


def cloudflare(token: str, url: str | None) -> Purger:
    return CloudflarePurger("suite", token, url)


CDNS = [(api.fastly, fastly), (api.cloudflare, cloudflare)]


@pytest.fixture(params=CDNS, ids=["fastly", "cloudflare"])
def cdn(request: pytest.FixtureRequest) -> Iterator[tuple[Api, Make]]:
    run: Callable[[], AbstractContextManager[Api]]
    run, make = request.param
    with run() as running:
        yield running, make


@pytest.fixture
async def purger(cdn: tuple[Api, Make]) -> AsyncIterator[Purger]:
    running, make = cdn
    async with opened(make(api.TOKEN, running.url)) as made:
        yield made


def many_tags() -> list[str]:
    return [*(of_image(uuid7()) for _ in range(MAX_TAGS - 1)), LISTING]


async def test_all_tags_of_an_order_are_taken_at_once(
    cdn: tuple[Api, Make], purger: Purger
) -> None:
    tags = many_tags()
    await purger.purge(tags, "first")
    assert cdn[0].taken == [tags]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503])
async def test_what_is_not_taken_is_told(
    cdn: tuple[Api, Make], purger: Purger, status: int
) -> None:
    cdn[0].refusals.append((status, {}))
    with pytest.raises(PurgeFailed) as failure:
        await purger.purge([LISTING], "first")
    assert failure.value.wait_s is None
    await purger.purge([LISTING], "first")
    assert cdn[0].tags == {LISTING}


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [("7", 7), ("0", 0), ("999999", 3600), ("soon", None), ("-1", None), ("9" * 5000, None)],
)
async def test_a_cdn_that_is_crowded_says_how_long_to_wait(
    cdn: tuple[Api, Make], purger: Purger, said: str, wait_s: float | None
) -> None:
    cdn[0].refusals.append((429, {"retry-after": said}))
    with pytest.raises(PurgeFailed) as failure:
        await purger.purge([LISTING], "first")
    assert failure.value.wait_s == wait_s


async def test_a_wrong_token_is_told_and_not_shown(cdn: tuple[Api, Make]) -> None:
    running, make = cdn
    async with opened(make("a wrong secret", running.url)) as made:
        with pytest.raises(PurgeFailed) as failure:
            await made.purge([LISTING], "first")
    assert "secret" not in str(failure.value)


async def test_a_cdn_that_is_not_there_is_told(cdn: tuple[Api, Make]) -> None:
    nowhere = f"http://127.0.0.1:{servers.free_port()}"
    async with opened(cdn[1](api.TOKEN, nowhere)) as made:
        with pytest.raises(PurgeFailed):
            await made.purge([LISTING], "first")


async def test_varnish_is_told_everywhere_or_it_has_failed() -> None:
    nowhere = [f"http://127.0.0.1:{port}" for port in servers.free_ports(2)]
    async with opened(VarnishPurger(nowhere)) as made:
        with pytest.raises(PurgeFailed):
            await made.purge([LISTING], "first")


class CloudFront:
    """Distributions in moto."""

    def __init__(self, url: str) -> None:
        session = botocore.session.Session()
        session.set_credentials(servers.ACCESS_KEY, servers.SECRET_KEY)
        self._client = session.create_client(
            "cloudfront", region_name="us-east-1", endpoint_url=url
        )
        self.url = url
        self.distribution_id: str = self._client.create_distribution(
            DistributionConfig={
                "CallerReference": str(uuid7()),
                "Comment": "",
                "Enabled": True,
                "Origins": {
                    "Quantity": 1,
                    "Items": [
                        {
                            "Id": "service",
                            "DomainName": "origin.example.com",
                            "CustomOriginConfig": {
                                "HTTPPort": 80,
                                "HTTPSPort": 443,
                                "OriginProtocolPolicy": "https-only",
                            },
                        }
                    ],
                },
                "DefaultCacheBehavior": {
                    "TargetOriginId": "service",
                    "ViewerProtocolPolicy": "https-only",
                },
            }
        )["Distribution"]["Id"]

    def close(self) -> None:
        self._client.close()

    def invalidations(self) -> list[tuple[str, list[str]]]:
        """Give what was ordered: references and paths."""
        found = self._client.list_invalidations(DistributionId=self.distribution_id)
        batches = (
            self._client.get_invalidation(DistributionId=self.distribution_id, Id=each["Id"])[
                "Invalidation"
            ]["InvalidationBatch"]
            for each in found["InvalidationList"].get("Items", ())
        )
        return [(batch["CallerReference"], batch["Paths"]["Items"]) for batch in batches]


@pytest.fixture
def cloudfront(moto_url: str) -> Iterator[CloudFront]:
    with closing(CloudFront(moto_url)) as made:
        yield made


async def test_cloudfront_invalidates_tags(cloudfront: CloudFront) -> None:
    tags = many_tags()
    async with opened(CloudFrontPurger(cloudfront.distribution_id, cloudfront.url)) as made:
        await made.purge(tags, "the first order")
    assert cloudfront.invalidations() == [("the first order", [f"#{tag}" for tag in tags])]


async def test_cloudfront_without_such_a_distribution_has_failed(cloudfront: CloudFront) -> None:
    async with opened(CloudFrontPurger("E2NONE", cloudfront.url)) as made:
        with pytest.raises(PurgeFailed, match="NoSuchDistribution"):
            await made.purge([LISTING], "first")


async def test_cloudfront_that_is_not_there_has_failed() -> None:
    nowhere = f"http://127.0.0.1:{servers.free_port()}"
    async with opened(CloudFrontPurger("E2NONE", nowhere)) as made:
        with pytest.raises(PurgeFailed):
            await made.purge([LISTING], "first")


ODD = b"HTTP/1.1 201 Created\r\ncontent-length: 6\r\n\r\nno XML"


async def test_cloudfront_that_answers_with_something_else_has_failed(moto_url: str) -> None:
    with proxied(moto_url) as proxy, proxy.failing(Fault(http_answer=ODD)):
        async with opened(CloudFrontPurger("E2NONE", proxy.url)) as made:
            with pytest.raises(PurgeFailed):
                await made.purge([LISTING], "first")


async def test_cloudfront_without_readable_credentials_has_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moto_url: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/suite")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "missing"))
    async with opened(CloudFrontPurger("E2NONE", moto_url)) as made:
        with pytest.raises(PurgeFailed):
            await made.purge([LISTING], "first")


async def test_cloudfront_looks_for_credentials_until_there_are_some(
    monkeypatch: pytest.MonkeyPatch, cloudfront: CloudFront
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    async with opened(CloudFrontPurger(cloudfront.distribution_id, cloudfront.url)) as made:
        with pytest.raises(PurgeFailed):
            await made.purge([LISTING], "first")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", servers.ACCESS_KEY)
        await made.purge([LISTING], "second")
    assert cloudfront.invalidations() == [("second", [f"#{LISTING}"])]
