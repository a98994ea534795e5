"""A cache and what is behind it, as the tests see them."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests import pictures
from tests.caches.clock import Clock
from tests.caches.hop import Hop
from tests.faults.proxy import Proxy

FRESH_S = 5
"""How long a listing is fresh, and a 404."""
REVALIDATE_S = 30
"""How long after that a listing may be used while a new one is fetched."""


@dataclass
class Site:
    """asgilook behind a cache."""

    cache: httpx.Client
    clock: Clock
    hop: Hop
    """Between the cache and the origin."""
    origin: httpx.Client
    """Past the cache."""
    store: Proxy
    """Between the origin and its bucket."""
    _limits: "count[int]" = field(default_factory=lambda: count(10))

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask the cache."""
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.cache.get(path, headers=spelled)

    def add(self, size: tuple[int, int] = (320, 240)) -> dict[str, Any]:
        """Add a photograph behind the cache's back; give its JSON."""
        view: dict[str, Any] = upload(self.origin, size).json()
        return view

    def listing(self) -> str:
        """Give the path of a listing that nobody has asked for."""
        return f"/images?limit={next(self._limits)}"

    def statuses(self, path: str) -> list[int | None]:
        """Tell how the origin has answered each request for this."""
        return self.hop.statuses(path)


def upload(through: httpx.Client, size: tuple[int, int] = (320, 240)) -> httpx.Response:
    """Add a photograph."""
    made = through.post(
        "/images", content=pictures.upload(size), headers={"content-type": "image/jpeg"}
    )
    assert made.status_code == 201, made.text
    return made


def is_hit(answer: httpx.Response) -> bool:
    """Tell whether the cache, the last to add to Cache-Status (RFC 9211), had a copy."""
    last = answer.headers["cache-status"].rpartition(", ")[2]
    return "hit" in last.split("; ")
