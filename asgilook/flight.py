"""Doing a thing once for everybody who wants it at the same time, or to its end."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True, eq=False)
class _Flight(Generic[V]):
    task: asyncio.Task[V]
    askers: int = 0
    is_optional: bool = False


class SingleFlight(Generic[K, V]):
    """Shares one run of a piece of work among all who ask while it is under way.

    The work goes on when those who wait for it leave: whoever comes next wants it too. Only while
    it is `optional` is it called off then. Its failure is everybody's.
    """

    def __init__(self) -> None:
        self._flights: dict[K, _Flight[V]] = {}

    def others(self, key: K) -> int:
        """Count the flights under way, but for the one for `key`."""
        return len(self._flights) - (key in self._flights)

    async def run(self, key: K, work: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Join the flight under way for `key`, or start one."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(work()))
            flight.task.add_done_callback(partial(self._land, key, flight))
        flight.askers += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.askers -= 1
            self._call_off_if_unwanted(key, flight)

    @contextlib.contextmanager
    def optional(self, key: K) -> Iterator[None]:
        """Let the flight for `key`, whose work this is, be called off when all have left."""
        flight = self._flights[key]
        flight.is_optional = True
        self._call_off_if_unwanted(key, flight)
        try:
            yield
        finally:
            flight.is_optional = False

    def __contains__(self, key: K) -> bool:
        """Tell whether there is a flight under way."""
        return key in self._flights

    async def close(self) -> None:
        """Call off what is under way."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _call_off_if_unwanted(self, key: K, flight: _Flight[V]) -> None:
        if flight.is_optional and not flight.askers and self._flights.get(key) is flight:
            # At once, so that nobody joins it any more.
            del self._flights[key]
            flight.task.cancel()

    def _land(self, key: K, flight: _Flight[V], done: asyncio.Task[V]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not done.cancelled():
            done.exception()  # asked for, so that nobody having waited is no warning


async def to_its_end(work: Coroutine[Any, Any, V]) -> V:
    """Do a piece of work that must not be left half done: who is called off waits for its end."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
