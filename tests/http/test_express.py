"""The short way to a thumbnail gives what the long way gives, field by field."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from falcon.testing import ASGIConductor, Result, TestClient

from asgilook.app import create_app
from asgilook.config import Settings
from asgilook.http.exchange import Exchange
from asgilook.http.express import Express
from asgilook.http.service import Service
from tests import pictures
from tests.http.client import as_servers_do

OF_THIS_REQUEST = {"x-request-id", "server-timing"}


class Shut(Express):
    """An express that takes nobody, so that Falcon answers everything."""

    def __init__(self) -> None:
        pass

    async def answer(self, exchange: Exchange, method: str, path: str) -> bool:
        return False


class Ways:
    """A thumbnail that is in the cache, and the two ways to it."""

    def __init__(self, app: Service, client: ASGIConductor, path: str) -> None:
        self._app = app
        self._client = client
        self.path = path

    async def short(self, **fields: str) -> Result:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        return await self._client.simulate_get(self.path, headers=headers)

    async def long(self, **fields: str) -> Result:
        express, self._app.express = self._app.express, Shut()
        try:
            return await self.short(**fields)
        finally:
            self._app.express = express


@pytest.fixture
async def ways(tmp_path: Path) -> AsyncIterator[Ways]:
    app = create_app(Settings(storage_path=tmp_path, render_slots=1))
    async with TestClient(as_servers_do(app)) as client:
        picture = pictures.upload((462, 462), "PNG")
        made = await client.simulate_post(
            "/images",
            body=picture,
            content_type="image/png",
            host="localhost",
            remote_addr="127.0.0.1",
        )
        yield Ways(app, client, made.json["thumbnails"][0])


def assert_same(short: Result, long: Result) -> None:
    own = [
        {name: value for name, value in way.headers.items() if name not in OF_THIS_REQUEST}
        for way in (short, long)
    ]
    assert own[0] == own[1]
    assert (short.status_code, short.content) == (long.status_code, long.content)


async def test_a_hit_is_the_same_either_way(ways: Ways) -> None:
    short, long = await ways.short(), await ways.long()
    assert short.status_code == 200
    assert_same(short, long)


@pytest.mark.parametrize("spelling", ["{}", "W/{}", '"other", {}', "*"])
async def test_a_reader_who_has_it_gets_304_either_way(ways: Ways, spelling: str) -> None:
    etag = (await ways.short()).headers["etag"]
    known = spelling.format(etag)
    short, long = await ways.short(if_none_match=known), await ways.long(if_none_match=known)
    assert short.status_code == 304
    assert_same(short, long)


async def test_a_reader_who_has_another_gets_all_of_it_either_way(ways: Ways) -> None:
    short = await ways.short(if_none_match='"other"')
    assert short.status_code == 200
    assert_same(short, await ways.long(if_none_match='"other"'))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"range": "bytes=0-9"}, 206),
        ({"range": "bytes=999999-"}, 416),
        ({"if_match": '"other"'}, 412),
        ({"if_unmodified_since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 412),
        ({"if_modified_since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 304),
        ({"if_none_match": '"other"', "range": "bytes=0-9"}, 206),
    ],
)
async def test_any_other_condition_takes_the_long_way(
    ways: Ways, fields: dict[str, str], status: int
) -> None:
    assert (await ways.short(**fields)).status_code == status


@pytest.mark.parametrize("change", [str.upper, lambda path: path + "x", lambda path: path + "\n"])
async def test_a_second_spelling_is_no_way_at_all(ways: Ways, change: "type[str]") -> None:
    ways.path = change(ways.path)
    assert (await ways.short()).status_code == 404
