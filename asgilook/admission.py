"""Who may start, by what they cost, and who is turned away at the door."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import NoReturn

from asgilook.errors import Overloaded
from asgilook.pace import Pace
from asgilook.timing import timed

SMALL_SHARE = 8
"""A job is small up to this part of the budget; small ones have as much again for themselves."""

PATIENCE = 4
"""So many may pass one that waits; what it needs is then kept free for it."""


class Admission:
    """The memory that jobs of all kinds share; each kind waits in a `Line` with slots of its own.

    Of the lines, the one whose jobs hold least comes first, unless another was passed too often.
    In a line jobs start in the order they came, but for those that do not fit: others pass them,
    though not for ever. A small job that finds no room among the others may have one slot, and
    memory, that only small ones use.
    """

    def __init__(self, budget: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.budget = budget
        self.small = budget // SMALL_SHARE
        self._clock = clock
        self._memory = _Memory(budget)
        self._memory_for_small = _Memory(self.small)
        self._lines: list[Line] = []

    def line(self, slots: int, limit: int) -> "Line":
        """Open a line for a kind of job: `limit` bounds the cost of all under way or waiting."""
        lanes = (_Lane(slots, self._memory), _Lane(1, self._memory_for_small))
        line = Line(self, lanes, limit, Pace(self._clock))
        self._lines.append(line)
        return line

    def start_those_that_fit(self) -> None:
        """Give their turn to all for whom there is room."""
        reserved = 0
        for line in sorted(self._lines, key=lambda line: (-line.impatience, line.held)):
            reserved += line.start_those_that_fit(reserved)

    def note_passed(self, started: "Place") -> None:
        """Note for all others who wait that this one was faster."""
        for line in self._lines:
            for place in line.waiting:
                place.passed += place.line is not started.line or place.number < started.number


@dataclass(slots=True, eq=False)
class Place:
    """What a job has: a place in its line, then a slot and memory, at last the memory alone."""

    line: "Line"
    cost: int
    number: int
    turn: "asyncio.Future[None]" = field(default_factory=asyncio.Future)
    passed: int = 0
    lane: "_Lane | None" = None
    has_slot: bool = False

    @property
    def is_small(self) -> bool:
        """Tell whether it is one of those for which a slot is kept."""
        return self.cost <= self.line.small

    def keep(self, size: int) -> None:
        """Give up the slot, and all memory but for what the job's result takes."""
        self.line.shrink(self, min(size, self.cost))


class Line:
    """Jobs of one kind that wait, and those of them that are under way."""

    def __init__(
        self, admission: Admission, lanes: tuple["_Lane", "_Lane"], limit: int, pace: Pace
    ) -> None:
        self._admission = admission
        self._main, self._express = lanes
        self._limit = limit
        self._pace = pace
        self._cost = 0
        self._count = 0
        self.slots = self._free_slots
        self.refused = 0
        """Jobs that were turned away, ever."""
        self.small = admission.small
        self.held = 0
        """What its jobs hold of the memory that all lines share."""
        self.waiting: list[Place] = []

    @property
    def running(self) -> int:
        """Count the jobs that have a slot."""
        return self.slots - self._free_slots

    @property
    def _free_slots(self) -> int:
        return self._main.free_slots + self._express.free_slots

    @property
    def impatience(self) -> int:
        """Tell how often one was passed that was passed too often, if there is one."""
        most = max((place.passed for place in self.waiting), default=0)
        return most if most >= PATIENCE else 0

    @property
    def is_busy(self) -> bool:
        """Tell whether one more job would have to wait."""
        return not self._main.has_slot or bool(self.waiting)

    @contextlib.asynccontextmanager
    async def admit(self, cost: int) -> AsyncIterator[Place]:
        """Wait for a turn and hold it.

        What costs more than the whole budget has it for itself. Raises `Overloaded`, at once.
        """
        cost = min(cost, self._admission.budget)
        if not self.has_room(cost):
            self.turn_away(cost)
        place = self._queue(cost)
        try:
            with timed("queue"):
                self._admission.start_those_that_fit()
                await place.turn
            yield place
            self._pace.note(cost)
        finally:
            self._leave(place)

    def has_room(self, cost: int) -> bool:
        """Tell whether one more job may wait."""
        return self._cost + min(cost, self._admission.budget) <= self._limit

    def turn_away(self, cost: int) -> NoReturn:
        """Raise `Overloaded`, and tell when to come back."""
        self.refused += 1
        raise Overloaded(
            f"cost {cost}, {self._cost} of {self._limit} taken", self._pace.wait_s(self._cost)
        )

    def start_those_that_fit(self, reserved: int) -> int:
        """Start them, leaving alone what is reserved; give what more has to be reserved."""
        more = 0
        for place in list(self.waiting):
            if not self._main.has_slot and not self._express.has_slot:
                break
            if self._main.fits(place.cost, reserved + more):
                self._start(place, self._main)
                self._admission.note_passed(place)
            elif place.is_small and self._express.fits(place.cost):
                self._start(place, self._express)
            elif place.passed >= PATIENCE:
                more += place.cost
        return more

    def shrink(self, place: Place, cost: int) -> None:
        """Take back the slot of one that started, and its memory but for this."""
        assert place.lane
        place.lane.free_slots += place.has_slot
        place.has_slot = False
        self._hold(place.lane, cost - place.cost)
        self._cost += cost - place.cost
        place.cost = cost
        self._admission.start_those_that_fit()

    def _queue(self, cost: int) -> Place:
        if not self._cost:
            self._pace.begin()
        self._count += 1
        self._cost += cost
        place = Place(self, cost, self._count)
        self.waiting.append(place)
        return place

    def _start(self, place: Place, lane: "_Lane") -> None:
        self.waiting.remove(place)
        place.lane, place.has_slot = lane, True
        lane.free_slots -= 1
        self._hold(lane, place.cost)
        # One that left in this very turn of the loop gives everything back as it goes.
        if not place.turn.done():
            place.turn.set_result(None)

    def _leave(self, place: Place) -> None:
        if place.lane:
            self.shrink(place, 0)
            return
        self.waiting.remove(place)
        self._cost -= place.cost
        self._admission.start_those_that_fit()

    def _hold(self, lane: "_Lane", size: int) -> None:
        lane.memory.free -= size
        self.held += size if lane is self._main else 0


@dataclass(slots=True, eq=False)
class _Memory:
    free: int


@dataclass(slots=True, eq=False)
class _Lane:
    """Slots of one line, and the memory that goes with them."""

    free_slots: int
    memory: _Memory

    @property
    def has_slot(self) -> bool:
        return self.free_slots > 0

    def fits(self, cost: int, reserved: int = 0) -> bool:
        return self.has_slot and cost <= self.memory.free - reserved
