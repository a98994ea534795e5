"""Things done once for all who want them."""

import asyncio
import gc

import pytest

from asgilook.flight import SingleFlight


class Work:
    """Counts its runs, each of which waits to be let go."""

    def __init__(self) -> None:
        self.runs = 0
        self.go_on = asyncio.Event()

    async def __call__(self) -> int:
        self.runs += 1
        run = self.runs
        await self.go_on.wait()
        return run


async def turns() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_who_ask_at_once_share_one_run() -> None:
    flights, work = SingleFlight[str, int](), Work()
    askers = [asyncio.create_task(flights.run("a", work)) for _ in range(10)]
    await turns()
    work.go_on.set()
    assert await asyncio.gather(*askers) == [1] * 10


async def test_who_asks_later_has_it_done_again() -> None:
    flights, work = SingleFlight[str, int](), Work()
    work.go_on.set()
    assert [await flights.run("a", work) for _ in range(3)] == [1, 2, 3]


async def test_different_things_do_not_wait_for_each_other() -> None:
    flights, work = SingleFlight[str, int](), Work()
    waiting = asyncio.create_task(flights.run("a", work))
    await turns()
    assert await flights.run("b", done) == 7
    work.go_on.set()
    assert await waiting == 1


async def done() -> int:
    return 7


async def failing() -> int:
    await asyncio.sleep(0)
    raise LookupError("no")


async def test_a_failure_is_everybodys_and_the_next_one_tries_again() -> None:
    flights = SingleFlight[str, int]()
    askers = (flights.run("a", failing) for _ in range(3))
    outcomes = await asyncio.gather(*askers, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [LookupError] * 3
    assert await flights.run("a", done) == 7


async def test_work_goes_on_when_all_who_wanted_it_have_left() -> None:
    flights, work = SingleFlight[str, int](), Work()
    for _ in range(2):
        asker = asyncio.create_task(flights.run("a", work))
        await turns()
        asker.cancel()
        await asyncio.wait([asker])
    last = asyncio.create_task(flights.run("a", work))
    await turns()
    work.go_on.set()
    assert await last == 1


class Optional(Work):
    """Has a part that is only done while it is wanted."""

    def __init__(self, flights: SingleFlight[str, int]) -> None:
        super().__init__()
        self.flights = flights

    async def __call__(self) -> int:
        with self.flights.optional("a"):
            return await super().__call__()


async def test_work_that_is_optional_is_called_off_when_all_have_left() -> None:
    flights = SingleFlight[str, int]()
    work = Optional(flights)
    askers = [asyncio.create_task(flights.run("a", work)) for _ in range(2)]
    await turns()
    askers[0].cancel()
    await turns()
    assert flights.others("b") == 1
    askers[1].cancel()
    await turns()
    assert flights.others("b") == 0
    work.go_on.set()
    assert await flights.run("a", work) == 2


async def test_who_comes_when_all_have_just_left_is_not_called_off_with_them() -> None:
    flights = SingleFlight[str, int]()
    work = Optional(flights)
    first = asyncio.create_task(flights.run("a", work))
    await turns()
    first.cancel()
    await asyncio.wait([first])
    work.go_on.set()
    assert await flights.run("a", work) == 2


async def test_a_failure_that_nobody_waits_for_is_nobodys_trouble() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    flights = SingleFlight[str, int]()
    asker = asyncio.create_task(flights.run("a", failing))
    await asyncio.sleep(0)
    asker.cancel()
    await turns()
    assert asker.cancelled()
    assert await flights.run("a", done) == 7
    gc.collect()
    assert complaints == []


async def test_closing_calls_off_what_is_under_way() -> None:
    flights, work = SingleFlight[str, int](), Work()
    asker = asyncio.create_task(flights.run("a", work))
    await turns()
    await flights.close()
    with pytest.raises(asyncio.CancelledError):
        await asker
