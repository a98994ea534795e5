"""A cold AVIF on a busy machine: sent to another format, while it is made behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from falcon.testing import Result

from asgilook import thumbnails
from asgilook.cache.memory import MemoryCache
from tests import pictures
from tests.http.client import Client, serving
from tests.patience import eventually

SIZE = (640, 480)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with serving() as one:
        yield one


def avif(view: dict[str, Any], size: str = "320x240") -> str:
    return f"/thumbnails/{view['id']}/{size}.avif"


async def uploaded(client: Client, count: int) -> list[dict[str, Any]]:
    return [await client.add(pictures.upload(SIZE)) for _ in range(count)]


async def asked_while_busy(client: Client, path: str, **headers: str) -> Result:
    """Ask while another image's AVIF is being made, which takes the only slot."""
    (other,) = await uploaded(client, 1)
    busy = asyncio.create_task(client.get(avif(other)))
    await asyncio.sleep(0)
    result = await client.get(path, **headers)
    assert (await busy).status_code == 200
    return result


async def kept(client: Client, path: str) -> Result:
    """Ask until it is there."""

    async def is_there() -> bool:
        return (await client.get(path)).status_code == 200

    await eventually(is_there)
    return await client.get(path)


async def test_nobody_waits_where_nothing_else_is_made(client: Client) -> None:
    (view,) = await uploaded(client, 1)
    result = await client.get(avif(view))
    assert (result.status_code, result.headers["content-type"]) == (200, "image/avif")


async def test_a_cold_avif_is_sent_to_the_jpeg_and_made_behind(client: Client) -> None:
    (view,) = await uploaded(client, 1)
    sent = await asked_while_busy(client, avif(view))
    assert (sent.status_code, sent.content) == (302, b"")
    assert sent.headers["location"] == avif(view).replace("avif", "jpeg")
    assert (await client.get(sent.headers["location"])).headers["x-asgilook-cache"] == "Hit"
    result = await kept(client, avif(view))
    assert result.headers["content-type"] == "image/avif"
    assert pictures.decode(result.content).format == "AVIF"


async def test_where_the_webp_is_there_it_is_the_better_one(client: Client) -> None:
    (view,) = await uploaded(client, 1)
    webp = avif(view).replace("avif", "webp")
    await client.get(webp)
    sent = await asked_while_busy(client, avif(view))
    assert (sent.status_code, sent.headers["location"]) == (302, webp)


async def test_caches_keep_the_way_there_for_a_moment_and_can_be_told_to_forget_it(
    client: Client,
) -> None:
    (view,) = await uploaded(client, 1)
    sent = await asked_while_busy(client, avif(view))
    assert sent.headers["cache-control"] == "max-age=5"
    assert sent.headers["content-length"] == "0"
    assert sent.headers["cache-tag"] == f"img-{view['id']}"
    assert not {"vary", "etag", "last-modified", "content-type"} & sent.headers.keys()


async def test_a_condition_or_a_range_makes_no_difference(client: Client) -> None:
    (view,) = await uploaded(client, 1)
    for headers in ({"if_none_match": "*"}, {"if_match": '"x"'}, {"range": "bytes=0-1"}):
        sent = await asked_while_busy(client, avif(view, "160x120"), **headers)
        assert sent.status_code == 302
        await kept(client, avif(view, "160x120"))
        (view,) = await uploaded(client, 1)


async def test_what_is_in_the_cache_is_given_however_busy_it_is(client: Client) -> None:
    (view,) = await uploaded(client, 1)
    await client.get(avif(view))
    assert (await asked_while_busy(client, avif(view))).status_code == 200


async def test_a_size_that_does_not_exist_is_sent_nowhere(client: Client) -> None:
    (view,) = await uploaded(client, 1)
    assert (await asked_while_busy(client, avif(view, "321x240"))).status_code == 404


async def test_jpeg_and_webp_wait_for_their_turn() -> None:
    async with serving() as first:
        views = await uploaded(first, 3)
        paths = [avif(view).replace("avif", kind) for view in views for kind in ("jpeg", "webp")]
        results = await asyncio.gather(*(first.get(path) for path in paths))
    assert {result.status_code for result in results} == {200}


async def test_only_so_many_are_made_behind_at_once(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setattr(thumbnails, "BEHIND", 1)
    views = await uploaded(client, 4)
    results = await asyncio.gather(*(client.get(avif(view)) for view in views))
    assert [result.status_code for result in results] == [200, 302, 302, 302]
    # One was made for the first, and one behind the others: asking again makes the rest.
    for view in views:
        await kept(client, avif(view))


async def test_many_who_ask_for_one_leave_room_for_others_to_be_made_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(thumbnails, "BEHIND", 2)
    cache = MemoryCache(10_000_000, 60)
    async with serving(cache=cache) as client:
        first, wanted, other = await uploaded(client, 3)
        paths = [avif(view) for view in (first, wanted, wanted, other)]
        results = await asyncio.gather(*(client.get(path) for path in paths))
        assert [result.status_code for result in results] == [200, 302, 302, 302]

        async def is_made() -> bool:
            return cache.at_hand(UUID(other["id"]), "320x240.avif") is not None

        await eventually(is_made)
