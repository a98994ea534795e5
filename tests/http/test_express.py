"""The short way to a thumbnail gives what the long way gives, field by field."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
import uvicorn

from asgilook.app import create_app
from asgilook.cache import Cache
from asgilook.cache.memory import MemoryCache
from asgilook.cache.redis import RedisCache
from asgilook.config import Settings
from asgilook.http.exchange import Event, Receive, Send
from asgilook.http.protocol import EdgeProtocol
from asgilook.image import picture_key
from tests import pictures
from tests.fakes import MemoryStore
from tests.patience import eventually
from tests.servers import free_port

# Starting the processes that decode takes longer than all that is asked here.
pytestmark = pytest.mark.asyncio(loop_scope="module")

OF_THIS_REQUEST = {"date", "x-request-id", "server-timing"}
AN_HOUR_MS = 3_600_000
LONG = {"if-match": "*"}
"""A condition that is always true, and that only the long way knows."""


class Ways:
    """A thumbnail that is in the cache, and the two ways to it."""

    def __init__(self, app: Any, store: MemoryStore) -> None:
        self._app = app
        self.store = store
        self.client: httpx.AsyncClient
        self.path = ""
        self.came_through: list[str] = []

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        """Stand in front of the application, and note what comes through to it."""
        if scope["type"] == "http":
            self.came_through.append(scope["path"])
        await self._app(scope, receive, send)

    async def get(self, **fields: str) -> httpx.Response:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        return await self.client.get(self.path, headers=headers)

    async def short(self, **fields: str) -> httpx.Response:
        before = len(self.came_through)
        answer = await self.get(**fields)
        assert self.came_through[before:] == []
        return answer

    async def long(self, **fields: str) -> httpx.Response:
        answer = await self.get(**fields, **LONG)
        assert self.came_through[-1] == self.path
        return answer


def in_memory(redis_url: str) -> Cache:
    return MemoryCache(10_000_000, 60)


def in_redis(redis_url: str) -> Cache:
    return RedisCache(redis_url, 60)


@pytest_asyncio.fixture(params=[in_memory, in_redis], scope="module", loop_scope="module")
async def ways(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[Ways]:
    make: Callable[[str], Cache] = request.param
    store = MemoryStore()
    ways = Ways(create_app(Settings(render_slots=1), store, make(redis_url)), store)
    async with served(ways) as url, httpx.AsyncClient(base_url=url) as ways.client:
        picture = pictures.upload((462, 462), "PNG")
        made = await ways.client.post(
            "/images", content=picture, headers={"content-type": "image/png"}
        )
        ways.path = made.raise_for_status().json()["thumbnails"][0]
        yield ways


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Serve an application with our own protocol, in this process; give the address."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, http=EdgeProtocol, log_config=None))
    serving = asyncio.create_task(server.serve())

    async def is_started() -> bool:
        return server.started

    await eventually(is_started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


def assert_same(short: httpx.Response, long: httpx.Response) -> None:
    own = [
        {name: value for name, value in way.headers.items() if name not in OF_THIS_REQUEST}
        for way in (short, long)
    ]
    assert own[0] == own[1]
    assert (short.status_code, short.content) == (long.status_code, long.content)
    assert all(short.headers[name] for name in ("date", "x-request-id"))


async def test_a_hit_is_the_same_either_way(ways: Ways) -> None:
    short, long = await ways.short(), await ways.long()
    assert short.status_code == 200
    assert_same(short, long)
    assert ("server-timing" in short.headers) == ("server-timing" in long.headers)


@pytest.mark.parametrize("spelling", ["{}", "W/{}", '"other", {}', "*"])
async def test_a_reader_who_has_it_gets_304_either_way(ways: Ways, spelling: str) -> None:
    etag = (await ways.short()).headers["etag"]
    known = spelling.format(etag)
    short, long = await ways.short(if_none_match=known), await ways.long(if_none_match=known)
    assert short.status_code == 304
    assert_same(short, long)


async def test_a_condition_may_be_in_several_lines(ways: Ways) -> None:
    etag = (await ways.short()).headers["etag"]
    lines = [("if-none-match", etag), ("if-none-match", '"other"')]
    for known in (lines, lines[::-1]):
        assert (await ways.client.get(ways.path, headers=known)).status_code == 304
        assert (
            await ways.client.get(ways.path, headers=[*known, *LONG.items()])
        ).status_code == 304


async def test_a_reader_who_has_another_gets_all_of_it_either_way(ways: Ways) -> None:
    short = await ways.short(if_none_match='"other"')
    assert short.status_code == 200
    assert_same(short, await ways.long(if_none_match='"other"'))


async def test_each_answer_has_the_id_of_its_own_request(ways: Ways) -> None:
    assert (await ways.short(x_request_id="mine")).headers["x-request-id"] == "mine"
    ids = {(await ways.short()).headers["x-request-id"] for _ in range(9)}
    assert len(ids) == 9


async def test_many_at_once_all_take_the_short_way(ways: Ways) -> None:
    etag = (await ways.short()).headers["etag"]
    before = len(ways.came_through)
    answers = await asyncio.gather(*(ways.get() for _ in range(100)))
    assert {answer.headers["etag"] for answer in answers} == {etag}
    assert ways.came_through[before:] == []


async def test_a_connection_ends_where_the_client_wants_it_to(ways: Ways) -> None:
    answer = await ways.short(connection="close")
    assert answer.headers["connection"] == "close"
    assert_same(answer, await ways.long(connection="close"))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"range": "bytes=0-9"}, 206),
        ({"range": "bytes=999999-"}, 416),
        ({"if_match": '"other"'}, 412),
        ({"if_unmodified_since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 412),
        ({"if_modified_since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 304),
        ({"if_none_match": '"other"', "range": "bytes=0-9"}, 206),
        ({"host": "two, of them"}, 400),
        ({"expect": "something"}, 417),
    ],
)
async def test_any_other_condition_takes_the_long_way(
    ways: Ways, fields: dict[str, str], status: int
) -> None:
    assert (await ways.get(**fields)).status_code == status
    assert ways.came_through[-1] == ways.path


async def test_what_is_not_in_the_cache_takes_the_long_way(ways: Ways) -> None:
    webp = ways.path.replace(".jpeg", ".webp")
    assert (await ways.client.get(webp)).headers["x-asgilook-cache"] == "Miss"
    assert ways.came_through[-1] == webp


@pytest.mark.parametrize("change", [str.upper, lambda path: path + "x", lambda path: path + "%0a"])
async def test_a_second_spelling_is_no_way_at_all(ways: Ways, change: "type[str]") -> None:
    assert (await ways.client.get(change(ways.path))).status_code == 404


async def test_a_date_that_lies_ahead_is_told_on_neither_way(ways: Ways) -> None:
    _, made, name = ways.path.strip("/").split("/")
    ahead = UUID(int=UUID(made).int + (AN_HOUR_MS << 80))
    ways.store.objects[picture_key(ahead)] = ways.store.objects[picture_key(UUID(made))]
    path = f"/thumbnails/{ahead}/{name}"
    _made, short = [await ways.client.get(path) for _ in range(2)]
    long = await ways.client.get(path, headers=LONG)
    assert ways.came_through[-2:] == [path] * 2
    assert "last-modified" not in short.headers
    assert_same(short, long)
