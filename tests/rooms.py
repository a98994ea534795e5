"""Rooms that have to be opened before use, and closed after."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeVar

from asgilook.workers import Turn


class Room(Protocol):
    async def open_up(self) -> None: ...

    async def close(self) -> None: ...


R = TypeVar("R", bound=Room)
T = TypeVar("T")
Queue = Callable[[int], AbstractAsyncContextManager[Turn]]


@asynccontextmanager
async def opened(room: R) -> AsyncIterator[R]:
    """Hold a store, a cache or the like open for a block."""
    await room.open_up()
    try:
        yield room
    finally:
        await room.close()


async def done(queue: Queue, job: Callable[[], T], cost_bytes: int) -> T:
    """Have a job done by workers, when its turn comes."""
    async with queue(cost_bytes) as turn:
        return await turn.run(job)
