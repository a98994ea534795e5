"""Who may start, by what they cost."""

import asyncio

import pytest

from asgilook.admission import PATIENCE, Admission, Line, Place
from asgilook.errors import Overloaded
from asgilook.pace import MAX_RETRY_AFTER_S

BUDGET = 96
SMALL = 12
"""The most that a small one costs, of this budget."""


class Crowd:
    """Jobs that go on until they are told to end, and who of them has started or was refused."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._ends: dict[str, asyncio.Event] = {}
        self._places: dict[str, Place] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.started: list[str] = []
        self.refused: list[str] = []

    async def come(self, *names: str, cost: int) -> None:
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._work(name, cost))
            await _settle()

    async def keep(self, name: str, cost: int) -> None:
        self._places[name].keep(cost)
        await _settle()

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
            await self._tasks[name]
            await _settle()

    async def leave(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.wait([self._tasks[name]])
        await _settle()

    async def _work(self, name: str, cost: int) -> None:
        try:
            async with self.line.admit(cost) as place:
                self._places[name] = place
                self.started.append(name)
                await self._ends[name].wait()
        except Overloaded:
            self.refused.append(name)


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def crowd() -> Crowd:
    return Crowd(Admission(BUDGET).line(slots=2, limit=4 * BUDGET))


async def test_they_start_in_the_order_they_came_while_there_are_slots(crowd: Crowd) -> None:
    await crowd.come("a", "b", "c", "d", cost=20)
    assert crowd.started == ["a", "b"]
    await crowd.end("a")
    assert crowd.started == ["a", "b", "c"]


async def test_one_that_fits_passes_one_that_does_not(crowd: Crowd) -> None:
    await crowd.come("large", cost=60)
    await crowd.come("larger", cost=80)
    await crowd.come("less", cost=30)
    assert crowd.started == ["large", "less"]


async def test_a_small_one_has_a_slot_beside_the_large(crowd: Crowd) -> None:
    await crowd.come("a", "b", "c", cost=40)
    await crowd.come("small", "smaller", cost=SMALL)
    assert crowd.started == ["a", "b", "small"]
    await crowd.end("small")
    assert crowd.started == ["a", "b", "small", "smaller"]


async def test_a_small_one_has_memory_beside_the_largest() -> None:
    crowd = Crowd(Admission(BUDGET).line(slots=1, limit=4 * BUDGET))
    await crowd.come("all", cost=BUDGET)
    await crowd.come("small", cost=SMALL)
    assert crowd.started == ["all", "small"]


async def test_what_costs_more_than_all_has_all_for_itself(crowd: Crowd) -> None:
    await crowd.come("more", cost=3 * BUDGET)
    await crowd.come("large", cost=20)
    assert crowd.started == ["more"]
    await crowd.end("more")
    assert crowd.started == ["more", "large"]


async def test_a_large_one_is_not_passed_for_ever(crowd: Crowd) -> None:
    await crowd.come("first", cost=50)
    await crowd.come("large", cost=80)
    for number in range(PATIENCE):
        await crowd.come(f"{number}", cost=20)
        await crowd.end(f"{number}")
    await crowd.come("late", cost=20)
    assert crowd.started == ["first", *map(str, range(PATIENCE))]
    await crowd.end("first")
    assert crowd.started[-1] == "large"
    await crowd.end("large")
    assert crowd.started[-1] == "late"


async def test_small_ones_go_on_while_room_is_made_for_a_large_one(crowd: Crowd) -> None:
    await crowd.come("first", cost=50)
    await crowd.come("large", cost=80)
    for number in range(PATIENCE + 5):
        await crowd.come(f"{number}", cost=SMALL)
        await crowd.end(f"{number}")
    assert crowd.started == ["first", *map(str, range(PATIENCE + 5))]


async def test_lines_share_the_memory_and_take_turns() -> None:
    admission = Admission(BUDGET)
    uploads, renderings = (Crowd(admission.line(slots=2, limit=8 * BUDGET)) for _ in range(2))
    await uploads.come("a", "b", "c", "d", cost=40)
    await renderings.come("e", "f", cost=40)
    assert (uploads.started, renderings.started) == (["a", "b"], [])
    await uploads.end("a")
    assert (uploads.started, renderings.started) == (["a", "b"], ["e"])
    await uploads.end("b")
    assert uploads.started == ["a", "b"] or renderings.started == ["e"]
    await renderings.end("e")
    assert {*uploads.started, *renderings.started} == {"a", "b", "c", "e", "f"}


async def test_one_line_does_not_keep_the_memory_from_the_other_for_ever() -> None:
    admission = Admission(BUDGET)
    uploads, renderings = (Crowd(admission.line(slots=2, limit=20 * BUDGET)) for _ in range(2))
    names = [f"{number}" for number in range(20)]
    await uploads.come(*names, cost=40)
    await renderings.come("large", cost=90)
    for name in names:
        if renderings.started:
            break
        await uploads.end(name)
    assert renderings.started == ["large"]
    assert len(uploads.started) <= PATIENCE + 2


async def test_what_is_kept_of_a_job_leaves_room_for_the_next(crowd: Crowd) -> None:
    await crowd.come("a", cost=90)
    await crowd.come("b", cost=80)
    await crowd.keep("a", 20)
    assert crowd.started == ["a"]
    await crowd.keep("a", 10)
    assert crowd.started == ["a", "b"]
    await crowd.end("b", "a")
    await crowd.come("all", cost=BUDGET)
    assert crowd.started[-1] == "all"


async def test_what_would_go_over_the_line_is_turned_away_at_once(crowd: Crowd) -> None:
    await crowd.come("a", "b", "c", "d", cost=BUDGET)
    with pytest.raises(Overloaded):
        async with crowd.line.admit(1):
            pass
    await crowd.end("a")
    await crowd.come("e", cost=BUDGET)
    assert crowd.started == ["a", "b"]


async def test_who_leaves_leaves_nothing_behind(crowd: Crowd) -> None:
    await crowd.come("a", "b", cost=BUDGET)
    await crowd.leave("b")
    await crowd.leave("a")
    await crowd.come("c", cost=BUDGET)
    assert crowd.started == ["a", "c"]


async def test_who_leaves_in_the_moment_of_its_turn_leaves_nothing_behind(crowd: Crowd) -> None:
    await crowd.come("a", "b", "c", cost=BUDGET)
    crowd._ends["a"].set()  # noqa: SLF001 - without the pause that `end` makes
    await crowd._tasks["a"]  # noqa: SLF001
    await crowd.leave("b")
    assert crowd.started[0] == "a"
    assert crowd.started[-1] == "c"


async def test_one_turned_away_hears_how_long_the_line_takes() -> None:
    now_s = 0.0
    crowd = Crowd(Admission(10**9, lambda: now_s).line(slots=1, limit=4 * 10**9))
    await crowd.come("a", "b", "c", "d", "e", cost=10**9)
    assert crowd.refused == ["e"]
    hints = []
    for name, next_one, spent_s in [("a", "f", 2.0), ("b", "g", 4.0), ("c", "h", 400.0)]:
        now_s += spent_s
        await crowd.end(name)
        await crowd.come(next_one, cost=10**9)
        with pytest.raises(Overloaded) as caught:
            async with crowd.line.admit(1):
                pass
        hints.append(caught.value.retry_after_s)
    assert hints[0] < hints[1] < hints[2] == MAX_RETRY_AFTER_S
