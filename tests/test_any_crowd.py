"""Whoever comes and goes, in whatever order."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from asgilook.admission import Admission, Line
from asgilook.errors import Overloaded

BUDGET = 96
SMALL = 12
"""The most that a small one costs, of this budget."""


class AnyCrowd(RuleBasedStateMachine):
    """Whatever comes, ends, keeps and leaves: no more is under way than may be, and all get by."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._slots = 2
        self._admission = Admission(BUDGET, lambda: 0.0)
        self._lines = [self._admission.line(self._slots, 8 * BUDGET) for _ in range(2)]
        self._ends: list[asyncio.Event] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._working: list[list[int]] = [[], []]
        self._holding: list[int] = []

    @rule(line=st.integers(0, 1), cost=st.integers(1, 2 * BUDGET), kept=st.integers(0, BUDGET))
    def come(self, line: int, cost: int, kept: int) -> None:
        end = asyncio.Event()
        self._ends.append(end)
        self._tasks.append(self._loop.create_task(self._work(line, cost, kept, end)))
        self._settle()

    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        if self._ends:
            data.draw(st.sampled_from(self._ends)).set()
            self._settle()

    @rule(data=st.data(), is_quick=st.booleans())
    def leave(self, data: st.DataObject, is_quick: bool) -> None:  # noqa: FBT001 - a rule's
        if self._tasks:
            if not is_quick:
                self._settle()
            data.draw(st.sampled_from(self._tasks)).cancel()
            self._settle()

    @invariant()
    def no_more_is_under_way_than_may_be(self) -> None:
        assert all(len(costs) <= self._slots + 1 for costs in self._working)
        assert all(sum(cost > SMALL for cost in costs) <= self._slots for costs in self._working)
        assert sum(map(sum, self._working)) + sum(self._holding) <= BUDGET + SMALL

    def teardown(self) -> None:
        for _ in self._ends:
            for end in self._ends:
                end.set()
            self._settle()
        assert all(task.done() for task in self._tasks)
        for line in self._lines:
            assert not line.held
            self._loop.run_until_complete(self._take_all(line))
        self._loop.close()

    async def _work(self, number: int, cost: int, kept: int, end: asyncio.Event) -> None:
        try:
            async with self._lines[number].admit(cost) as place:
                cost = place.cost
                self._working[number].append(cost)
                try:
                    await end.wait()
                finally:
                    self._working[number].remove(cost)
                place.keep(kept)
                self._holding.append(place.cost)
                await asyncio.sleep(0)
                self._holding.remove(place.cost)
        except Overloaded:
            pass

    async def _take_all(self, line: Line) -> None:
        async with line.admit(8 * BUDGET) as place:
            assert place.cost == BUDGET

    def _settle(self) -> None:
        self._loop.run_until_complete(_settle())


TestAnyCrowd = AnyCrowd.TestCase
TestAnyCrowd.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
