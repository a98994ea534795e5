"""What all parts of a check-up work with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar
from uuid import UUID

from asgilook.cache import Cache
from asgilook.errors import ObjectNotFound, StoreBroken
from asgilook.fsck.findings import Finding, Kind
from asgilook.ids import created_at
from asgilook.originals import Originals
from asgilook.purges import Purges
from asgilook.store import Store
from asgilook.tombstones import Tombstones

PAGE = 1000
"""How many keys are in memory at a time; no store lists more in one request."""
AT_ONCE = 16
"""How many objects are looked at at the same time."""

T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """The rooms that a check-up looks at, and how it goes about it."""

    store: Store
    cache: Cache
    originals: Originals
    tombstones: Tombstones
    purges: Purges
    older_than_s: float
    is_repair: bool
    on_seen: Callable[[str, int], None]
    """Is told of so many more objects, under this prefix, that were looked at."""

    def is_young(self, when: datetime) -> bool:
        """Tell whether whoever made something then may still be at it."""
        return when > datetime.now(UTC) - timedelta(seconds=self.older_than_s)

    def is_young_id(self, image_id: UUID) -> bool:
        """Tell the same of what was made under an id."""
        return self.is_young(created_at(image_id))

    async def has(self, key: str) -> bool:
        """Tell whether there is an object, be it a broken one."""
        try:
            await self.store.stat(key)
        except ObjectNotFound:
            return False
        except StoreBroken:
            pass
        return True

    async def found(self, kind: Kind, key: str, mend: Callable[[], Awaitable[object]]) -> Finding:
        """Tell of something, mended if that is wanted."""
        if self.is_repair:
            await mend()
        return Finding(kind, key, is_mended=self.is_repair)

    async def keys(self, prefix: str) -> AsyncIterator[list[str]]:
        """List the keys under a prefix, page by page."""
        # Consoles mark a folder with an object of its name, which would come first.
        start = prefix
        while page := await self.store.scan(prefix, after=start, limit=PAGE):
            yield page
            start = page[-1]

    async def pages(self, prefix: str) -> AsyncIterator[list[str]]:
        """List them to be looked at; a page is seen when the next one is asked for."""
        async for page in self.keys(prefix):
            yield page
            self.on_seen(prefix, len(page))


async def each(
    things: Iterable[T], check: Callable[[T], Awaitable[Finding | None]], key_of: Callable[[T], str]
) -> AsyncIterator[Finding]:
    """Check things, several at a time; give what is found, and the keys of what is broken."""

    async def look(thing: T) -> Finding | None:
        for _ in range(2):  # a single answer may be cut on its way
            with suppress(StoreBroken):
                return await check(thing)
        return Finding(Kind.BROKEN, key_of(thing))

    left = iter(things)
    while some := list(islice(left, AT_ONCE)):
        results = await asyncio.gather(*map(look, some), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
            if result:
                yield result
