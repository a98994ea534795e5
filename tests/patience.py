"""Waiting for what happens elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_S = 20


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Ask again until it is so. Raises `TimeoutError`."""
    async with asyncio.timeout(PATIENCE_S):
        while not await is_so():  # noqa: ASYNC110 - nobody tells when it is
            await asyncio.sleep(0.01)
