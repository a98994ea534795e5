"""Rooms that have to be opened before use, and closed after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar


class Room(Protocol):
    async def open_up(self) -> None: ...

    async def close(self) -> None: ...


R = TypeVar("R", bound=Room)


@asynccontextmanager
async def opened(room: R) -> AsyncIterator[R]:
    """Hold a store, a cache or the like open for a block."""
    await room.open_up()
    try:
        yield room
    finally:
        await room.close()
