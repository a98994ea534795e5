"""Who may start, by what they cost, and who is turned away at the door."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from asgilook.errors import Overloaded
from asgilook.timing import timed

LARGE_SHARE = 1 / 8
"""The share of the budget from which on a job is a large one."""


@dataclass(slots=True, eq=False)
class _Job:
    cost: int
    is_large: bool
    turn: "asyncio.Future[None]" = field(default_factory=asyncio.Future)


class Admission:
    """Lets jobs start while there is a slot, and budget for what they cost.

    They start in the order they came, but for those that do not fit: small ones pass them, and
    large ones leave one of several slots to the small. `line` bounds the cost of all that is
    under way or waits; what would go over it is turned away at once.
    """

    def __init__(self, slots: int, budget: int, line: int) -> None:
        self._free_slots = slots
        self._free_slots_for_large = max(1, slots - 1)
        self._free_budget = budget
        self._free_line = line
        self._large = budget * LARGE_SHARE
        self._waiting: list[_Job] = []

    @contextlib.asynccontextmanager
    async def admit(self, cost: int) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises `Overloaded`, at once."""
        if cost > self._free_line:
            raise Overloaded(f"cost {cost}, room for {self._free_line}")
        job = _Job(cost, cost > self._large)
        self._free_line -= cost
        try:
            with timed("queue"):
                await self._turn(job)
            try:
                yield
            finally:
                self._take(job, -1)
        finally:
            self._free_line += cost
            self._start_those_that_fit()

    async def _turn(self, job: _Job) -> None:
        self._waiting.append(job)
        self._start_those_that_fit()
        try:
            await job.turn
        except asyncio.CancelledError:
            if job in self._waiting:
                self._waiting.remove(job)
            else:
                self._take(job, -1)
            raise

    def _start_those_that_fit(self) -> None:
        for job in list(self._waiting):
            if self._fits(job):
                self._waiting.remove(job)
                self._take(job, 1)
                job.turn.set_result(None)

    def _fits(self, job: _Job) -> bool:
        slots = self._free_slots_for_large if job.is_large else self._free_slots
        return slots > 0 and self._free_slots > 0 and job.cost <= self._free_budget

    def _take(self, job: _Job, count: int) -> None:
        self._free_slots -= count
        self._free_slots_for_large -= count if job.is_large else 0
        self._free_budget -= count * job.cost
