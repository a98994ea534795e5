"""All that clients do, well-behaved and not, in any order."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from urllib.parse import urlsplit

import httpx

from tests import pictures
from tests.faults.wishes import FIELDS, Wishes

CLIENTS = 6
PAUSE_S = 0.1

LEFT_UPLOAD = (
    b"POST /images HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/jpeg\r\n"
    b"content-length: 9999\r\n\r\n\xff"
)
"""What is received until its client leaves: nothing in its head is refused."""

LEFT = "left"
"""What is counted where a client did not wait for its answer."""


class Traffic:
    """Clients that each do one thing after the other; counts what they were told."""

    def __init__(self, client: httpx.AsyncClient, seed: int) -> None:
        self._client = client
        self._chance = Random(seed)
        self._wishes = Wishes(client)
        url = urlsplit(str(client.base_url))
        self._address = url.hostname, url.port
        self.answers: dict[str, Counter[str]] = {}

    async def open_up(self) -> None:
        """Bring the first images."""
        await self._wishes.open_up()

    async def run(self) -> None:
        """Go on until called off."""
        await asyncio.gather(*(self._live() for _ in range(CLIENTS)))

    async def _live(self) -> None:
        kinds: dict[str, Callable[[], Awaitable[httpx.Response | None]]] = {
            **self._wishes.all,
            "miss webp": partial(self._wishes.miss, "webp"),
            "miss avif": partial(self._wishes.miss, "avif"),
            "range": partial(self._wishes.original, range="bytes=1000-1999"),
            "condition": partial(self._wishes.original, **{"if-none-match": '"other"'}),
            "broken upload": self._broken,
            "upload that is left": self._left_upload,
            "original that is left": self._left_original,
            "miss that is left": self._left_miss,
        }
        while True:
            kind = self._chance.choice(list(kinds))
            answer = await kinds[kind]()
            told = str(answer.status_code) if answer else LEFT
            self.answers.setdefault(kind, Counter())[told] += 1
            await asyncio.sleep(PAUSE_S * self._chance.random())

    async def _broken(self) -> httpx.Response:
        name = self._chance.choice(list(pictures.BROKEN))
        # Never the same one twice: those are refused unread.
        body = pictures.BROKEN[name]() + self._chance.randbytes(8)
        return await self._client.post("/images", content=body, headers=FIELDS)

    async def _left_upload(self) -> None:
        await self._leave(LEFT_UPLOAD)

    async def _left_original(self) -> None:
        path = (await self._wishes.original()).url.path
        await self._leave(b"GET %s HTTP/1.1\r\nhost: a\r\n\r\n" % path.encode())

    async def _left_miss(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await self._wishes.miss("avif", side=400)

    async def _leave(self, request: bytes) -> None:
        """Say something, and leave before or during the answer."""
        _, writer = await asyncio.open_connection(*self._address)
        writer.write(request)
        await writer.drain()
        await asyncio.sleep(0.02 * self._chance.random())
        writer.transport.abort()
