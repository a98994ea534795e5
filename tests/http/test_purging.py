"""What a deletion tells the CDN, and what it tells the client of that."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from asgilook import purges
from tests.cdn import api
from tests.cdn.api import Api
from tests.fakes import MemoryStore
from tests.http.client import Client, serving
from tests.servers import valkey


@pytest.fixture
def cdn() -> Iterator[Api]:
    with api.fastly() as running:
        yield running


def told(cdn: Api) -> dict[str, Any]:
    """Give the settings by which deletions are told to a CDN."""
    return {"cdn": "fastly", "cdn_id": "suite", "cdn_token": api.TOKEN, "cdn_url": (cdn.url,)}


@pytest.fixture
async def client(store: MemoryStore, cdn: Api) -> AsyncIterator[Client]:
    async with serving(store, **told(cdn)) as one:
        yield one


@pytest.fixture
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    for name in ("LOOK_S", "FIRST_WAIT_S"):
        monkeypatch.setattr(purges, name, 0.01)


@pytest.fixture
def redis_of_its_own() -> Iterator[str]:
    """Give a Redis where no purge waits that another test has left."""
    with valkey() as url:
        yield url


async def until_done(client: Client, path: str) -> None:
    while (await client.get(path)).json["state"] != "done":  # noqa: ASYNC110 - it is asked for
        await asyncio.sleep(0.01)


async def test_a_deletion_is_done_when_the_cdn_has_taken_it(client: Client, cdn: Api) -> None:
    view = await client.add()
    assert (await client.delete(f"/images/{view['id']}")).status_code == 204
    assert cdn.taken == [[f"img-{view['id']}", "listing"]]
    assert (await client.get(f"/purges/{view['id']}")).json == {"id": view["id"], "state": "done"}


async def test_the_tags_are_those_that_the_answers_carried(client: Client, cdn: Api) -> None:
    view = await client.add()
    carried = {
        tag
        for path in (view["image"], view["thumbnails"][0], f"/images/{view['id']}", "/images")
        for tag in (await client.get(path)).headers["surrogate-key"].split(" ")
    }
    await client.delete(f"/images/{view['id']}")
    assert cdn.tags == carried


async def test_a_deletion_that_the_cdn_does_not_take_is_pending(client: Client, cdn: Api) -> None:
    view = await client.add()
    cdn.refusals.append((429, {"retry-after": "3600"}))
    result = await client.delete(f"/images/{view['id']}")
    assert result.status_code == 202
    assert result.headers["location"] == f"/purges/{view['id']}"
    assert result.headers["cache-control"] == "no-store"
    assert result.json == {"id": view["id"], "state": "pending"}
    # Whatever the CDN still has, the image is gone.
    assert (await client.get(view["image"])).status_code == 410
    assert (await client.get(result.headers["location"])).json == result.json


@pytest.mark.usefixtures("_eager")
async def test_a_pending_purge_is_tried_until_it_is_taken(client: Client, cdn: Api) -> None:
    view = await client.add()
    cdn.refusals += [(503, {}), (429, {}), (500, {})]
    result = await client.delete(f"/images/{view['id']}")
    assert result.status_code == 202
    await until_done(client, result.headers["location"])
    assert cdn.tags == {f"img-{view['id']}", "listing"}
    assert not cdn.refusals


async def test_nothing_is_told_of_an_image_that_is_not_there(client: Client, cdn: Api) -> None:
    missing = "01a20700-0c73-70a0-a966-46c2bb4b60a8"
    assert (await client.delete(f"/images/{missing}")).status_code == 404
    assert not cdn.taken
    result = await client.get(f"/purges/{missing}")
    assert (result.status_code, result.json["code"]) == (404, "purge-not-found")


async def test_without_a_cdn_a_deletion_is_done(store: MemoryStore) -> None:
    async with serving(store) as client:
        view = await client.add()
        assert (await client.delete(f"/images/{view['id']}")).status_code == 204


@pytest.mark.usefixtures("_eager")
async def test_a_purge_outlives_the_process_that_owes_it(
    store: MemoryStore, cdn: Api, redis_of_its_own: str
) -> None:
    settings = told(cdn) | {"redis_url": redis_of_its_own}
    async with serving(store, **settings) as first:
        view = await first.add()
        # As long as it takes for the process to be gone.
        cdn.refusals += [(503, {})] * 1000
        result = await first.delete(f"/images/{view['id']}")
        assert result.status_code == 202
    assert not cdn.taken
    cdn.refusals.clear()
    async with serving(store, **settings) as second:
        await until_done(second, result.headers["location"])
    assert f"img-{view['id']}" in cdn.tags


@pytest.mark.usefixtures("_eager")
async def test_a_queue_that_is_gone_stops_no_deletion(
    store: MemoryStore, cdn: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with valkey() as url:
        pass  # it is no more
    async with serving(store, **told(cdn), redis_url=url) as client:
        view, other = await client.add(), await client.add()
        assert (await client.delete(f"/images/{view['id']}")).status_code == 204
        cdn.refusals.append((503, {}))
        pending = await client.delete(f"/images/{other['id']}")
        assert pending.status_code == 202
        await until_done(client, pending.headers["location"])
        unknown = await client.get("/purges/01a20700-0c73-70a0-a966-46c2bb4b60a8")
        assert (unknown.status_code, unknown.json["code"]) == (503, "purges-unavailable")
    assert cdn.tags == {f"img-{view['id']}", f"img-{other['id']}", "listing"}
    assert "is held in memory only" in caplog.text
