"""Renderings made once for all processes that share a cache."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from functools import partial
from typing import Any
from uuid import UUID

from asgilook.cache import Cache, Entry, Lease
from asgilook.flight import SingleFlight
from asgilook.timing import timed

POLL_S = 0.02
"""How often a process looks whether another one is done."""
PATIENCE_S = 5.0
"""How long it looks before it does the work itself: the other's store may be slow, say."""

Entries = dict[str, Entry]
Maker = Callable[[], Coroutine[Any, Any, Entries]]
Check = Callable[[UUID], Awaitable[None]]


class Fleet:
    """Shares one run of a piece of work among all who ask, in any process.

    Within a process they join one flight; among processes a lease goes round, which is another's
    when its holder fails or dies, and everybody's where the cache cannot give any.
    """

    def __init__(self, cache: Cache, check: Check) -> None:
        self._cache = cache
        self._check = check
        self._flights: SingleFlight[tuple[UUID, str], Entries] = SingleFlight()
        self._aftermath: set[asyncio.Task[None]] = set()

    def is_making(self, image_id: UUID, work: str) -> bool:
        """Tell whether it is being made for somebody who asked here."""
        return (image_id, work) in self._flights

    async def is_made_elsewhere(self, image_id: UUID, work: str) -> bool:
        """Tell whether another process is making it."""
        lease = await self._cache.lease(image_id, work)
        if lease:
            await lease.release()
        return lease is None

    def others(self, image_id: UUID, work: str) -> int:
        """Count what else is being made for those who ask here."""
        return self._flights.others((image_id, work))

    def optional(self, image_id: UUID, work: str) -> AbstractContextManager[None]:
        """Let `make`, which this is part of, be called off while nobody waits for it here."""
        return self._flights.optional((image_id, work))

    async def close(self) -> None:
        """Call off what is being made, and finish keeping what was."""
        await self._flights.close()
        await asyncio.gather(*self._aftermath)

    async def make(self, image_id: UUID, name: str, work: str, make: Maker) -> Entry:
        """Give the entry `name`, which is made by `work`, perhaps with others.

        They are kept without anyone waiting. Raises what `make` raises.
        """
        entries = await self._flights.run(
            (image_id, work), partial(self._make_or_wait, image_id, name, work, make)
        )
        # Another process made it: then what the others here want is in the cache as well.
        entry = entries.get(name) or await self._cache.get(image_id, name)
        return entry or await self.make(image_id, name, work, make)

    async def _make_or_wait(self, image_id: UUID, name: str, work: str, make: Maker) -> Entries:
        with timed("fleet"):
            lease, entry = await self._turn(image_id, name, work)
        try:
            entries = {name: entry} if entry else await make()
        except BaseException:
            await lease.release()
            raise
        finish = lease.release() if entry else self._keep(image_id, entries, lease)
        task = asyncio.create_task(finish)
        self._aftermath.add(task)
        task.add_done_callback(self._aftermath.discard)
        return entries

    async def _turn(self, image_id: UUID, name: str, work: str) -> tuple[Lease, Entry | None]:
        """Wait until it is up to this process, or another one has done it."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + PATIENCE_S
        while True:
            lease = await self._cache.lease(image_id, work)
            # In this order: whoever had the lease kept what was made before giving it back.
            entry = await self._cache.get(image_id, name)
            if lease or entry or loop.time() > end_s:
                return lease or Lease(), entry
            await asyncio.sleep(POLL_S)

    async def _keep(self, image_id: UUID, entries: Entries, lease: Lease) -> None:
        try:
            await self._cache.put(image_id, entries)
        finally:
            await lease.release()
        # It may take as long as an outage of the store, and they may be large.
        del entries
        await self._check(image_id)
