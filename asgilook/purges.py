"""Purges: what the CDN is told when an image is deleted, and told again until it has heard.

A purge is held in the queue before anything is deleted, and leaves it when the CDN has taken it:
whoever dies in between leaves it to the others, who do it a little later.
"""

import asyncio
import contextlib
import hashlib
import logging
import random
from collections.abc import Sequence
from uuid import UUID

from asgilook.cache import Cache
from asgilook.cdn import MemoryPurgeQueue, PurgeQueue, Purger, PurgeState
from asgilook.cdn.base import MAX_TAGS
from asgilook.errors import PurgeFailed, QueueUnavailable
from asgilook.metrics import Meter
from asgilook.metrics.catalogue import PURGES
from asgilook.setting_kinds import Cdn
from asgilook.tags import LISTING, of_image
from asgilook.timing import timed

LEASE_S = 30.0
"""How long a purge is somebody's before it is anybody's again; longer than a deletion takes."""
LOOK_S = 2.0
"""How often a process looks whether there is something to purge."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 300.0

_log = logging.getLogger(__name__)


class Purges:
    """Has a CDN forget what was deleted: at once if it can be, later if it must be."""

    def __init__(self, purger: Purger, queue: PurgeQueue, cdn: Cdn, meter: Meter) -> None:
        self._purger = purger
        self._queue = queue
        self._cdn = cdn
        self._meter = meter
        # For what the queue cannot hold because it is away.
        self._spare = MemoryPurgeQueue()
        self._working: asyncio.Task[None]

    async def open_up(self) -> None:
        """Open the purger and the queue, and begin to do what is due."""
        await self._purger.open_up()
        await self._queue.open_up()
        self._working = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Stop; what is left is the others', or the next start's."""
        self._working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._working
        await self._queue.close()
        await self._purger.close()

    async def announce(self, image_id: UUID) -> None:
        """Hold a purge for an image that is about to be deleted."""
        try:
            await self._queue.add(image_id, LEASE_S)
        except QueueUnavailable as error:
            _log.error("purge of %s is held in memory only: %s", image_id, error)
            await self._spare.add(image_id, LEASE_S)

    async def run(self, image_id: UUID) -> PurgeState:
        """Purge now what was announced; where the CDN does not take it, it is tried again later."""
        with timed("purge"):
            is_done = await self._order([image_id], 0)
        return PurgeState.DONE if is_done else PurgeState.PENDING

    async def state(self, image_id: UUID) -> PurgeState | None:
        """Tell how far the purge of an image is. Raises `QueueUnavailable`."""
        return await self._spare.state(image_id) or await self._queue.state(image_id)

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            for queue in (self._spare, self._queue):
                # Another process, or another moment, does it.
                with contextlib.suppress(QueueUnavailable):
                    await self._work_off(queue)

    async def _work_off(self, queue: PurgeQueue) -> None:
        due = await queue.take(MAX_TAGS - 1, LEASE_S)
        if due:
            await self._order([each.image_id for each in due], max(each.attempts for each in due))

    async def _order(self, image_ids: Sequence[UUID], attempts: int) -> bool:
        tags = [*map(of_image, image_ids), LISTING]
        try:
            await self._purger.purge(tags, _reference(tags))
        except PurgeFailed as failure:
            self._count("failed", len(image_ids))
            wait_s = failure.wait_s or _backoff_s(attempts)
            text = "purge of %d images failed, again in %.0f s: %s"
            _log.warning(text, len(image_ids), wait_s, failure)
            await self._put_off(image_ids, wait_s)
            return False
        self._count("done", len(image_ids))
        await self._let_go(image_ids)
        return True

    def _count(self, result: str, by: int) -> None:
        if self._cdn is not Cdn.NONE:
            self._meter.count(PURGES, self._cdn.value, result, by=by)

    async def _put_off(self, image_ids: Sequence[UUID], wait_s: float) -> None:
        for image_id in image_ids:
            queue = self._spare if await self._spare.state(image_id) else self._queue
            # Its lease ends all the same.
            with contextlib.suppress(QueueUnavailable):
                await queue.add(image_id, wait_s)

    async def _let_go(self, image_ids: Sequence[UUID]) -> None:
        await self._spare.done([each for each in image_ids if await self._spare.state(each)])
        # What is purged twice is purged as well.
        with contextlib.suppress(QueueUnavailable):
            await self._queue.done(image_ids)


async def forget(purges: Purges, cache: Cache, image_id: UUID) -> None:
    """See to it that caches forget what is about to be removed, the CDN a little later."""
    await purges.announce(image_id)
    await cache.drop(image_id)


def _backoff_s(attempts: int) -> float:
    """Choose how long to wait: longer each time, and no two the same."""
    longest_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(attempts, 16))
    return longest_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _reference(tags: Sequence[str]) -> str:
    """Name an order: the same tags in any order are the same."""
    return hashlib.sha256(" ".join(sorted(tags)).encode()).hexdigest()
