"""Who may start, by what they cost."""

import asyncio

import pytest

from asgilook.admission import Admission
from asgilook.errors import Overloaded


class Crowd:
    """Jobs that go on until they are told to end, and who of them has started."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.started: list[str] = []

    async def come(self, name: str, cost: int) -> None:
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._work(name, cost))
        await self._settle()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self._tasks[name]
        await self._settle()

    async def leave(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.wait([self._tasks[name]])
        await self._settle()

    async def _work(self, name: str, cost: int) -> None:
        async with self._admission.admit(cost):
            self.started.append(name)
            await self._ends[name].wait()

    async def _settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
def crowd() -> Crowd:
    return Crowd(Admission(slots=2, budget=100, line=400))


async def test_they_start_in_the_order_they_came_while_there_are_slots(crowd: Crowd) -> None:
    for name in "abc":
        await crowd.come(name, 1)
    assert crowd.started == ["a", "b"]
    await crowd.end("a")
    assert crowd.started == ["a", "b", "c"]


async def test_a_small_one_passes_a_large_one_that_does_not_fit(crowd: Crowd) -> None:
    await crowd.come("large", 80)
    await crowd.come("larger", 90)
    await crowd.come("small", 10)
    assert crowd.started == ["large", "small"]


async def test_large_ones_leave_a_slot_to_the_small(crowd: Crowd) -> None:
    await crowd.come("large", 30)
    await crowd.come("as large", 30)
    await crowd.come("small", 1)
    assert crowd.started == ["large", "small"]
    await crowd.end("large")
    assert crowd.started == ["large", "small", "as large"]


async def test_a_large_one_has_the_only_slot_there_is() -> None:
    crowd = Crowd(Admission(slots=1, budget=100, line=400))
    await crowd.come("large", 100)
    assert crowd.started == ["large"]


async def test_small_ones_do_not_keep_a_large_one_out(crowd: Crowd) -> None:
    await crowd.come("small", 10)
    await crowd.come("smaller", 5)
    await crowd.come("large", 90)
    await crowd.come("late", 10)
    await crowd.end("smaller")
    assert crowd.started == ["small", "smaller", "large"]


async def test_what_would_go_over_the_line_is_turned_away_at_once(crowd: Crowd) -> None:
    for name in "abcd":
        await crowd.come(name, 100)
    with pytest.raises(Overloaded):
        async with crowd._admission.admit(1):  # noqa: SLF001 - the crowd's own door
            pass
    await crowd.end("a")
    await crowd.come("e", 100)
    assert crowd.started == ["a", "b"]


async def test_who_leaves_the_line_leaves_nothing_behind(crowd: Crowd) -> None:
    await crowd.come("a", 100)
    await crowd.come("b", 100)
    await crowd.leave("b")
    await crowd.leave("a")
    await crowd.come("c", 100)
    assert crowd.started == ["a", "c"]
