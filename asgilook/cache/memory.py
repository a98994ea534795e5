"""A cache inside the process, bounded by bytes."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from asgilook.cache.base import REFUSED_S, Cache, Entry, Found, Lease
from asgilook.timing import NOTHING

ENTRY_OVERHEAD_BYTES = 512
"""What an entry costs beside its body: the objects around it, measured and rounded up."""

REMEMBERED_DROPS = 10_000


@dataclass(slots=True)
class _Shelf:
    """All that is kept of one image."""

    expires_s: float
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def cost_bytes(self) -> int:
        return sum(_cost_bytes(entry) for entry in self.entries.values())


@dataclass(frozen=True, slots=True)
class _Held(Lease):
    leased: set[tuple[UUID, str]]
    key: tuple[UUID, str]

    async def release(self) -> None:
        self.leased.discard(self.key)


class MemoryCache(Cache):
    """Keeps up to `limit_bytes`; the image that was used longest ago goes first.

    With `renew`, use makes an image stay `ttl_s` from then on; without, it goes `ttl_s` after it
    came: right in front of a shared cache, where another process may have dropped the image.
    """

    def __init__(
        self,
        limit_bytes: int,
        ttl_s: float,
        *,
        renew: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit_bytes = limit_bytes
        self._ttl_s = ttl_s
        self._renew = renew
        self._clock = clock
        self._held_bytes = 0
        # By the number, whose hash is cheaper than a UUID's.
        self._shelves: OrderedDict[int, _Shelf] = OrderedDict()
        self._leased: set[tuple[UUID, str]] = set()
        self._refused_until_s: dict[UUID, float] = {}

    @property
    def held_bytes(self) -> int:
        """Count what is kept, overhead included."""
        return self._held_bytes

    def find(self, image_id: UUID, name: str, found: Found) -> None:
        found(self.at_hand(image_id, name), NOTHING)

    def at_hand(self, image_id: UUID, name: str) -> Entry | None:
        shelf = self._shelf(image_id.int)
        entry = shelf.entries.get(name) if shelf else None
        if shelf and entry:
            self._shelves.move_to_end(image_id.int)
            if self._renew:
                shelf.expires_s = self._clock() + self._ttl_s
        return entry

    async def put(self, image_id: UUID, entries: Mapping[str, Entry]) -> bool:
        return self.keep(image_id, entries)

    def keep(self, image_id: UUID, entries: Mapping[str, Entry]) -> bool:
        """Do what `put` does, now."""
        if self._refused_until_s.get(image_id, 0.0) > self._clock():
            return False
        shelf = self._shelf(image_id.int)
        if shelf is None:
            shelf = self._shelves[image_id.int] = _Shelf(self._clock() + self._ttl_s)
        self._held_bytes -= shelf.cost_bytes
        shelf.entries.update(entries)
        self._held_bytes += shelf.cost_bytes
        # One that finds no place at all goes first, and nobody makes room for it.
        self._shelves.move_to_end(image_id.int, last=shelf.cost_bytes <= self._limit_bytes)
        while self._held_bytes > self._limit_bytes:
            self._remove(next(iter(self._shelves)))
        return True

    async def drop(self, image_id: UUID) -> None:
        if image_id.int in self._shelves:
            self._remove(image_id.int)
        self._refused_until_s[image_id] = self._clock() + REFUSED_S
        if len(self._refused_until_s) > REMEMBERED_DROPS:
            del self._refused_until_s[next(iter(self._refused_until_s))]

    async def clear(self) -> None:
        """Forget everything."""
        self._shelves.clear()
        self._held_bytes = 0

    async def lease(self, image_id: UUID, work: str) -> Lease | None:
        key = image_id, work
        if key in self._leased:
            return None
        self._leased.add(key)
        return _Held(self._leased, key)

    def _shelf(self, number: int) -> _Shelf | None:
        shelf = self._shelves.get(number)
        if shelf and shelf.expires_s <= self._clock():
            self._remove(number)
            return None
        return shelf

    def _remove(self, number: int) -> None:
        self._held_bytes -= self._shelves.pop(number).cost_bytes


def _cost_bytes(entry: Entry) -> int:
    return len(entry.body) + ENTRY_OVERHEAD_BYTES
