"""What clients wish for: one request of each kind, as often as wanted."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from asgilook.signing import Signer
from tests import pictures

SIGNING_KEY = "11" * 32
FIELDS = {"content-type": "image/jpeg"}
LARGE, SMALL = (1600, 1200), (320, 240)
STOCK = 40
"""How many images are there to be deleted, before any more are uploaded."""

SETTINGS = {
    "SIGNING_KEYS": SIGNING_KEY,
    "RATE_LIMIT_UPLOADS": "none",
    "RATE_LIMIT_BYTES": "none",
    "RATE_LIMIT_RENDERING": "none",
}
"""What a service needs so that all wishes can be had without end."""

Wish = Callable[[], Awaitable[httpx.Response]]


class Wishes:
    """Asks for what is there, for what has to be made, and brings and removes images."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._signer = Signer([SIGNING_KEY])
        self._small = pictures.upload(SMALL)
        self._numbers = itertools.count(1)
        self._stock: list[str] = []
        self._view: dict[str, Any] = {}
        self._hit = ""
        self._etag = ""

    @property
    def all(self) -> Mapping[str, Wish]:
        """Give the wishes by the kind of request."""
        return {
            "hit": self.hit,
            "304": self.unmodified,
            "miss": self.miss,
            "original": self.original,
            "list": self.list,
            "upload": self.upload,
            "delete": self.delete,
            "readyz": self.readyz,
        }

    async def open_up(self, stock: int = STOCK) -> None:
        """Bring a large image to look at, and small ones to delete."""
        made = await self._post(pictures.upload(LARGE))
        self._view = made.raise_for_status().json()
        self._hit = self._view["thumbnails"][-1]
        self._etag = (await self.hit()).raise_for_status().headers["etag"]
        for _ in range(stock):
            (await self.upload()).raise_for_status()

    async def hit(self) -> httpx.Response:
        """Ask for a thumbnail that is in the cache."""
        return await self._client.get(self._hit)

    async def unmodified(self) -> httpx.Response:
        """Ask for it again, knowing it."""
        return await self._client.get(self._hit, headers={"if-none-match": self._etag})

    async def miss(self, kind: str = "jpeg", side: int = 64) -> httpx.Response:
        """Ask for a thumbnail that nobody has asked for before, of some such side."""
        number = next(self._numbers)
        box = f"{side + number % 64}x{side + number // 64}"
        text = f"contain/{self._view['id']}/{box}.{kind}"
        return await self._client.get(f"/signed/{self._signer.sign(text)}/{text}")

    async def original(self, **fields: str) -> httpx.Response:
        """Ask for an original."""
        return await self._client.get(self._view["image"], headers=fields)

    async def list(self) -> httpx.Response:
        """Ask for the newest images."""
        return await self._client.get("/images?limit=50")

    async def upload(self) -> httpx.Response:
        """Bring a small picture."""
        # Behind the picture's end: never the same file twice.
        made = await self._post(self._small + b"%d" % next(self._numbers))
        if made.status_code == 201:
            self._stock.append(made.json()["id"])
        return made

    async def delete(self) -> httpx.Response:
        """Remove the oldest of the small images; where that fails, it is tried again."""
        if not self._stock and (made := await self.upload()).is_error:
            return made
        image_id = self._stock[0]
        gone = await self._client.delete(f"/images/{image_id}")
        if gone.status_code in {204, 410}:
            self._stock = [one for one in self._stock if one != image_id]
        return gone

    async def readyz(self) -> httpx.Response:
        """Ask how the service is."""
        return await self._client.get("/readyz")

    async def _post(self, body: bytes) -> httpx.Response:
        return await self._client.post("/images", content=body, headers=FIELDS)
