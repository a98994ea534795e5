"""Doing a thing once for everybody who wants it at the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Shares one run of a piece of work among all who ask while it is under way.

    The work goes on when those who wait for it leave: whoever comes next wants it too. Its
    failure is everybody's.
    """

    def __init__(self) -> None:
        self._flights: dict[K, asyncio.Task[V]] = {}

    async def run(self, key: K, work: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Join the flight under way for `key`, or start one."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(work())
            flight.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(flight)

    async def close(self) -> None:
        """Call off what is under way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _land(self, key: K, done: asyncio.Task[V]) -> None:
        del self._flights[key]
        if not done.cancelled():
            done.exception()  # asked for, so that nobody having waited is no warning
