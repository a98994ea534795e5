"""A client of the application, without a server between the two."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from falcon.testing import ASGIConductor, Result

from asgilook.app import create_app
from asgilook.cache import Cache
from asgilook.config import Settings
from asgilook.http.exchange import Event, Receive, Send
from asgilook.http.service import Service
from asgilook.store import Store
from tests import pictures
from tests.fakes import MemoryStore


class Client:
    """Asks from the same machine, unless told otherwise."""

    def __init__(self, conductor: ASGIConductor) -> None:
        self._conductor = conductor

    async def request(self, method: str, path: str, **details: Any) -> Result:
        """Ask anything, with the options of `falcon.testing.simulate_request`."""
        details.setdefault("host", "127.0.0.1")
        details.setdefault("remote_addr", "127.0.0.1")
        result: Result = await self._conductor.simulate_request(method, path, **details)
        return result

    async def get(self, path: str, **headers: str) -> Result:
        return await self.request("GET", path, headers=_spelled(headers))

    async def head(self, path: str, **headers: str) -> Result:
        return await self.request("HEAD", path, headers=_spelled(headers))

    async def delete(self, path: str, **headers: str) -> Result:
        return await self.request("DELETE", path, headers=_spelled(headers))

    async def post(self, body: bytes, content_type: str, **headers: str) -> Result:
        return await self.request(
            "POST", "/images", body=body, headers=_spelled(headers) | {"content-type": content_type}
        )

    async def add(self, body: bytes | None = None, kind: str = "image/jpeg") -> dict[str, Any]:
        """Upload a photograph, or what is given; give its JSON."""
        made = await self.post(pictures.upload() if body is None else body, kind)
        assert made.status_code == 201, made.text
        view: dict[str, Any] = made.json
        return view

    async def listed(self) -> list[str]:
        """Give the ids of what there is."""
        return [view["id"] for view in (await self.get("/images?limit=500")).json]


@asynccontextmanager
async def serving(
    store: Store | None = None, cache: Cache | None = None, **settings: Any
) -> AsyncIterator[Client]:
    """Run the application for the length of a block: in memory, unless other rooms are given."""
    one_child = Settings(**{"render_slots": 1, **settings})
    app = create_app(one_child, store or MemoryStore(), cache)
    conductor = ASGIConductor(as_servers_do(app))
    await conductor.__aenter__()
    try:
        yield Client(conductor)
    finally:
        # Left by an error, the conductor itself would not shut the application down.
        await conductor.__aexit__(None, None, None)


def as_servers_do(app: Service) -> Any:
    """Give the application what servers give it.

    Falcon's client leaves as soon as it has asked, where real ones stay for their answer; and it
    tells the fields of a request only once.
    """

    async def serve(scope: Event, receive: Receive, send: Send) -> None:
        answered = asyncio.Event()

        async def receive_patiently() -> Event:
            event = await receive()
            if event["type"] == "http.disconnect":
                await answered.wait()
            return event

        async def send_and_note(event: Event) -> None:
            await send(event)
            if event["type"] == "http.response.body" and not event.get("more_body"):
                answered.set()

        if scope["type"] == "http":
            scope["headers"] = [tuple(field) for field in scope["headers"]]
        await app(scope, receive_patiently, send_and_note)

    return serve


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
