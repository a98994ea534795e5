"""Clients who leave before they have their answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NoReturn, Self

import pytest
from falcon.testing import create_scope

from asgilook.app import create_app
from asgilook.byte_range import ByteRange
from asgilook.config import Settings
from asgilook.http.exchange import Event
from asgilook.http.service import Service
from asgilook.store import ObjectInfo, ObjectStream
from asgilook.workers import Workers
from tests import pictures
from tests.fakes import MemoryStore
from tests.http.client import serving


class Visit:
    """One request whose client can leave."""

    def __init__(
        self, app: Service, method: str, path: str, fields: dict[str, str], body: bytes = b""
    ) -> None:
        self._body = [{"type": "http.request", "body": body, "more_body": False}]
        self._has_left = asyncio.Event()
        here = "127.0.0.1"
        scope: Any = create_scope(path, method=method, host=here, remote_addr=here, headers=fields)
        self.statuses: list[int] = []
        self.served = asyncio.create_task(app(scope, self._receive, self._send))

    @classmethod
    def upload(cls, app: Service, fields: dict[str, str] | None = None) -> Self:
        body = pictures.upload()
        own = {"content-type": "image/jpeg", "content-length": str(len(body))}
        return cls(app, "POST", "/images", own | (fields or {}), body)

    @classmethod
    def look(cls, app: Service, path: str) -> Self:
        return cls(app, "GET", path, {})

    def leave(self) -> None:
        self._has_left.set()

    async def _receive(self) -> Event:
        if self._body:
            return self._body.pop()
        await self._has_left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            self.statuses.append(event["status"])


class GatedStore(MemoryStore):
    """Keeps its first picture waiting in mid-store."""

    def __init__(self) -> None:
        super().__init__()
        self.is_reached = asyncio.Event()
        self.gate = asyncio.Event()

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        if content_type == "image/jpeg":
            self.is_reached.set()
            await self.gate.wait()
        return await super().put(key, body, content_type=content_type, metadata=metadata)


class SlowStore(MemoryStore):
    """Gives no picture before it is let; notes which are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.is_reached = asyncio.Event()
        self.gate = asyncio.Event()

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        self.asked.append(key)
        self.is_reached.set()
        await self.gate.wait()
        return await super().open(key, byte_range)


async def turns() -> None:
    """Let every task that can go on do so."""
    for _ in range(50):
        await asyncio.sleep(0)


@asynccontextmanager
async def app_on(store: MemoryStore, **settings: Any) -> AsyncIterator[Service]:
    app = create_app(Settings(**{"render_slots": 1, **settings}), store)
    queue: asyncio.Queue[Event] = asyncio.Queue()
    events: asyncio.Queue[Event] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    life = asyncio.create_task(app(scope, queue.get, events.put))
    await queue.put({"type": "lifespan.startup"})
    assert (await events.get())["type"] == "lifespan.startup.complete"
    try:
        yield app
    finally:
        await queue.put({"type": "lifespan.shutdown"})
        await life


async def test_who_leaves_gives_up_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    is_waiting, has_left = asyncio.Event(), asyncio.Event()

    async def wait_for_ever(*_: Any) -> NoReturn:
        is_waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            has_left.set()
        raise AssertionError

    store = MemoryStore()
    async with app_on(store) as app:
        monkeypatch.setattr(Workers, "inspect", wait_for_ever)
        visit = Visit.upload(app)
        await is_waiting.wait()
        visit.leave()
        await has_left.wait()
        await visit.served
    assert 201 not in visit.statuses
    assert store.objects == {}


async def test_who_leaves_has_used_up_what_was_sent() -> None:
    store = GatedStore()
    chunked = {"content-length": "", "transfer-encoding": "chunked"}
    size = len(pictures.upload())
    limits = {"max_upload_bytes": size, "rate_limit_bytes": f"{size}/day"}
    async with app_on(store, trusted_proxies="direct", **limits) as app:
        visit = Visit.upload(app, chunked)
        await store.is_reached.wait()
        visit.leave()
        store.gate.set()
        await visit.served
        again = Visit.upload(app, chunked)
        await again.served
    assert again.statuses == [429]


@pytest.mark.parametrize("fields", [{}, {"idempotency-key": "k"}], ids=["plain", "claimed"])
async def test_what_is_being_stored_is_stored_whole(fields: dict[str, str]) -> None:
    store = GatedStore()
    async with app_on(store) as app:
        visit = Visit.upload(app, fields)
        await store.is_reached.wait()
        visit.leave()
        await turns()
        store.gate.set()
        await visit.served
        async with serving(store) as client:
            (image_id,) = await client.listed()
            assert (await client.get(f"/images/{image_id}")).status_code == 200


@pytest.mark.parametrize("stays", [False, True], ids=["all leave", "one stays"])
async def test_a_thumbnail_that_waits_is_made_only_while_somebody_waits_for_it(
    stays: bool,  # noqa: FBT001 - it is a case
) -> None:
    store = SlowStore()
    async with serving(store) as client:
        ids = [(await client.add())["id"] for _ in range(3)]
    *under_way, wanted = [f"/thumbnails/{image_id}/320x240.webp" for image_id in ids]
    async with app_on(store) as app:
        # One slot for anything, and one for small pictures.
        others = [Visit.look(app, path) for path in under_way]
        await turns()
        assert len(store.asked) == len(others)
        waiting = [Visit.look(app, wanted) for _ in range(3)]
        await turns()
        for visit in waiting[stays:]:
            visit.leave()
            await visit.served
        store.gate.set()
        for visit in (*others, *waiting):
            await visit.served
    assert [visit.statuses for visit in others] == [[200], [200]]
    assert [visit.statuses for visit in waiting[:stays]] == [[200]] * stays
    assert [ids[2] in key for key in store.asked] == [False, False, *[True] * stays]
