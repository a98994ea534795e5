"""Who comes: some with large pictures, all at once, and some who only want to go on as ever."""

import asyncio
import statistics
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from multiprocessing import Queue
from time import perf_counter
from typing import Any

import httpx

from tests.load import pictures

PAUSE_S = 0.05
LIMIT_S = 300
"""How long the crowd may take in all."""


class Everyday:
    """Visitors with small wishes, one at a time of each kind; notes how long they wait."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._small = pictures.small()
        self._path = ""
        self._etag = ""
        self._count = 0
        self.waits_s: dict[str, list[float]] = defaultdict(list)
        self.statuses: dict[str, Counter[int]] = defaultdict(Counter)

    async def open_up(self) -> None:
        """Bring the picture that is looked at from then on."""
        view: dict[str, Any] = (await self._upload()).raise_for_status().json()
        self._path = view["thumbnails"][0]
        self._etag = (await self._client.get(self._path)).headers["etag"]

    async def come_and_go(self) -> None:
        """Go on until called off."""
        wishes: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
            "small upload": self._upload,
            "hit": lambda: self._client.get(self._path),
            "304": lambda: self._client.get(self._path, headers={"if-none-match": self._etag}),
            "/healthz": lambda: self._client.get("/healthz"),
        }
        await asyncio.gather(*(self._wish(name, ask) for name, ask in wishes.items()))

    async def _wish(self, name: str, ask: Callable[[], Awaitable[httpx.Response]]) -> None:
        while True:
            start_s = perf_counter()
            answer = await ask()
            self.waits_s[name].append(perf_counter() - start_s)
            self.statuses[name][answer.status_code] += 1
            await asyncio.sleep(PAUSE_S)

    async def _upload(self) -> httpx.Response:
        self._count += 1
        # Behind the picture's end: never the same file twice.
        body = self._small + b"%d" % self._count
        return await self._client.post(
            "/images", content=body, headers={"content-type": "image/jpeg"}
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of the crowd got, and when."""

    kind: str
    status: int
    wait_s: float
    retry_after: str | None


def crowd(url: str, bodies: Mapping[str, bytes], count: int, answers: "Queue[Answer]") -> None:
    """Send so many large pictures, all at once; in a process of its own, for it is hard work."""
    asyncio.run(_send_all(url, bodies, count, answers))


async def _send_all(
    url: str, bodies: Mapping[str, bytes], count: int, answers: "Queue[Answer]"
) -> None:
    kinds = list(bodies)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=LIMIT_S) as client:

        async def send(number: int) -> None:
            kind = kinds[number % len(kinds)]
            # Behind the picture's end: never the same file twice.
            body = bodies[kind] + b"%d" % number
            start_s = perf_counter()
            fields = {"content-type": kind.split()[0]}
            got = await client.post("/images", content=body, headers=fields)
            wait_s = perf_counter() - start_s
            answers.put(Answer(kind, got.status_code, wait_s, got.headers.get("retry-after")))

        await asyncio.gather(*(send(number) for number in range(count)))


def spread(waits_s: list[float], units: int) -> str:
    """Spell out median, 99th percentile and maximum, in so many units a second."""
    quantiles = statistics.quantiles(waits_s * 2, n=100, method="inclusive")
    parts = (quantiles[49], quantiles[98], max(waits_s))
    return " / ".join(f"{part * units:.{0 if units > 1 else 1}f}" for part in parts)
