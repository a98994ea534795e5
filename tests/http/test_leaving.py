"""Clients who send a picture and leave before they have their answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import pytest
from falcon.testing import create_scope

from asgilook.app import create_app
from asgilook.config import Settings
from asgilook.http.exchange import Event
from asgilook.http.service import Service
from asgilook.store import ObjectInfo
from asgilook.workers import Workers
from tests import pictures
from tests.fakes import MemoryStore
from tests.http.client import serving


class Visit:
    """One upload whose client can leave."""

    def __init__(self, app: Service, fields: dict[str, str]) -> None:
        body = pictures.upload()
        self._body = [{"type": "http.request", "body": body, "more_body": False}]
        self._has_left = asyncio.Event()
        own = {"content-type": "image/jpeg", "content-length": str(len(body))}
        here = "127.0.0.1"
        scope: Any = create_scope(
            "/images", method="POST", host=here, remote_addr=here, headers=own | fields
        )
        self.statuses: list[int] = []
        self.served = asyncio.create_task(app(scope, self._receive, self._send))

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


@asynccontextmanager
async def app_on(store: MemoryStore) -> AsyncIterator[Service]:
    app = create_app(Settings(render_slots=1), store)
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
        visit = Visit(app, {})
        await is_waiting.wait()
        visit.leave()
        await has_left.wait()
        await visit.served
    assert 201 not in visit.statuses
    assert store.objects == {}


@pytest.mark.parametrize("fields", [{}, {"idempotency-key": "k"}], ids=["plain", "claimed"])
async def test_what_is_being_stored_is_stored_whole(fields: dict[str, str]) -> None:
    store = GatedStore()
    async with app_on(store) as app:
        visit = Visit(app, fields)
        await store.is_reached.wait()
        visit.leave()
        for _ in range(5):
            await asyncio.sleep(0)
        store.gate.set()
        await visit.served
        async with serving(store) as client:
            (image_id,) = await client.listed()
            assert (await client.get(f"/images/{image_id}")).status_code == 200
