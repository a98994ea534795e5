"""Purges that are still to be done: the promise of a queue, and one in memory.

`tests/contracts/test_purge_queue.py` holds each implementation to it.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

REMEMBERED_S = 24 * 3600
"""How long a queue knows of a purge that is done."""


class PurgeState(StrEnum):
    """How far a purge is."""

    PENDING = "pending"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Due:
    """A purge whose time has come."""

    image_id: UUID
    attempts: int
    """How often it was taken before, without being done."""


class PurgeQueue(ABC):
    """Holds the ids of images whose copies are to be purged, each until that is done.

    Raises `QueueUnavailable` for trouble of its own, within a bounded time.
    """

    async def open_up(self) -> None:  # noqa: B027 - not every queue has something to open
        """Get ready for use, once, inside the event loop that will use the queue."""

    async def close(self) -> None:  # noqa: B027 - nor to close
        """Let go of connections, once."""

    @abstractmethod
    async def add(self, image_id: UUID, wait_s: float) -> None:
        """Hold a purge that is due in so many seconds; one that is there already is put off."""

    @abstractmethod
    async def take(self, limit: int, lease_s: float) -> Sequence[Due]:
        """Give purges that are due, the oldest first.

        Nobody else gets them for `lease_s`; whoever took one does it, or lets it come up again.
        """

    @abstractmethod
    async def done(self, image_ids: Sequence[UUID]) -> None:
        """Let go of purges, and remember for `REMEMBERED_S` that they are done."""

    @abstractmethod
    async def state(self, image_id: UUID) -> PurgeState | None:
        """Tell how far a purge is, if it is known of."""


@dataclass(slots=True)
class _Held:
    due_s: float
    attempts: int = 0


class MemoryPurgeQueue(PurgeQueue):
    """For one process; what it holds ends with it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[UUID, _Held] = {}
        self._done_s: dict[UUID, float] = {}

    async def add(self, image_id: UUID, wait_s: float) -> None:
        self._done_s.pop(image_id, None)
        held = self._held.setdefault(image_id, _Held(0.0))
        held.due_s = self._clock() + wait_s

    async def take(self, limit: int, lease_s: float) -> Sequence[Due]:
        now_s = self._clock()
        due = sorted((held.due_s, image_id) for image_id, held in self._held.items())
        taken = [image_id for due_s, image_id in due[:limit] if due_s <= now_s]
        given = [Due(image_id, self._held[image_id].attempts) for image_id in taken]
        for image_id in taken:
            self._held[image_id] = _Held(now_s + lease_s, self._held[image_id].attempts + 1)
        return given

    async def done(self, image_ids: Sequence[UUID]) -> None:
        now_s = self._clock()
        for image_id in image_ids:
            self._held.pop(image_id, None)
            self._done_s[image_id] = now_s
        while self._done_s and next(iter(self._done_s.values())) <= now_s - REMEMBERED_S:
            del self._done_s[next(iter(self._done_s))]

    async def state(self, image_id: UUID) -> PurgeState | None:
        if image_id in self._held:
            return PurgeState.PENDING
        is_known = self._done_s.get(image_id, 0.0) > self._clock() - REMEMBERED_S
        return PurgeState.DONE if image_id in self._done_s and is_known else None
