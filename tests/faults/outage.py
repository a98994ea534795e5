"""What clients see while something fails, and how long after it."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from tests.faults.rows import CUT, GOOD, Row
from tests.faults.site import Site
from tests.faults.wishes import Wishes

TIMES = 3
"""How often each kind of request is answered at least, while something fails."""
MOST_S = 60
PAUSE_S = 0.05
RECOVERED_S = 5
"""Back to normal within so long, without a restart."""
SLOW_S = 0.25
"""Who waits longer than this has waited for Redis."""
ROUNDS = 4
"""How often a client asks for everything, one thing after the other, to see how often it waits."""


@dataclass
class Told:
    """How one kind of request was answered."""

    answers: Counter[str] = field(default_factory=Counter)
    worst_s: float = 0
    unhelpful: int = 0
    """How many 5xx came without Retry-After."""


@dataclass
class Outcome:
    """What a fault came to."""

    row: Row
    told: Mapping[str, Told]
    recovered_s: float
    open_files: tuple[int, int]
    """Before, and after it."""
    slow: int | None
    """How often a client waited that did one thing after the other, where that is promised."""
    seen: Sequence[str]
    """What else there is to tell."""
    harm: Sequence[str]
    """What else was not as it should be."""

    @property
    def worst_s(self) -> float:
        """Tell how long anybody waited at the most."""
        return max(each.worst_s for each in self.told.values())

    def broken(self) -> Iterator[str]:
        """Say which promises were broken."""
        yield from self.wrong()
        yield from self.late()

    def late(self) -> Iterator[str]:
        """Say what took too long."""
        for kind, told in self.told.items():
            if told.worst_s > self.row.promise.within_s[kind]:
                yield f"{kind}: {told.worst_s:.1f} s"
        if self.recovered_s > RECOVERED_S:
            yield f"recovered after {self.recovered_s:.1f} s"
        if self.slow is not None and self.slow > self.row.plan.workers:
            yield f"{self.slow} slow requests"

    def wrong(self) -> Iterator[str]:
        """Say what was not as promised, however long it took."""
        promise = self.row.promise
        for kind, told in self.told.items():
            for answer in told.answers.keys() - GOOD[kind] - promise.also.get(kind, frozenset()):
                yield f"{kind}: {answer}"
            if told.unhelpful:
                yield f"{kind}: no Retry-After"
        yield from self.harm
        before, after = self.open_files
        if after > before + promise.spare_files:
            yield f"{after - before} more open files"


async def suffer(site: Site, row: Row) -> Outcome:
    """Let it happen to a site whose clients go on as ever, and see that it passes."""
    # On a connection for each request, they come to all processes.
    kept = 0 if row.promise.is_one_slow else None
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=kept)
    async with httpx.AsyncClient(base_url=site.service.url, timeout=MOST_S, limits=limits) as asked:
        wishes = Wishes(asked)
        await wishes.open_up(stock=20)
        await _recover(wishes)
        before = site.open_files()
        told = {kind: Told() for kind in wishes.all}
        site.seen, site.broken = [], []
        with row.happen(site):
            slow = await _count_slow(wishes, told) if row.promise.is_one_slow else None
            await _ask_for_a_while(wishes, told)
        recovered_s = await _recover(wishes)
        await _end_all_work(site)
        files = before, site.open_files()
        return Outcome(row, told, recovered_s, files, slow, site.seen, site.broken)


async def _count_slow(wishes: Wishes, told: dict[str, Told]) -> int:
    """Ask for one thing after the other, and tell how often that took a while."""
    slow = 0
    for kind in list(told) * ROUNDS:
        start_s = time.monotonic()
        await _ask(wishes, kind, told[kind])
        slow += time.monotonic() - start_s > SLOW_S
    return slow


async def _end_all_work(site: Site) -> None:
    """See that nothing goes on for clients who have their answers, or have left."""
    start_s = time.monotonic()
    while under_way := await asyncio.to_thread(site.under_way):
        if time.monotonic() - start_s > RECOVERED_S:
            site.broken.append(f"{under_way} pictures still under way")
            break
        await asyncio.sleep(PAUSE_S)


async def _ask_for_a_while(wishes: Wishes, told: dict[str, Told]) -> None:
    """Ask until each kind was answered a few times, or it takes too long."""
    before = {kind: each.answers.total() for kind, each in told.items()}
    asking = [asyncio.create_task(_ask_again(wishes, kind, told[kind])) for kind in told]
    deadline = time.monotonic() + MOST_S
    while min(each.answers.total() - before[kind] for kind, each in told.items()) < TIMES:
        await asyncio.wait(asking, timeout=PAUSE_S)
        if time.monotonic() > deadline:
            break
    for one in asking:
        one.cancel()
    await asyncio.wait(asking)


async def _ask_again(wishes: Wishes, kind: str, told: Told) -> None:
    while True:
        await _ask(wishes, kind, told)
        await asyncio.sleep(PAUSE_S)


async def _ask(wishes: Wishes, kind: str, told: Told) -> str:
    start_s = time.monotonic()
    try:
        answer = await wishes.all[kind]()
    except httpx.TransportError:
        seen = CUT
    else:
        seen = answer.json()["status"] if kind == "readyz" else str(answer.status_code)
        is_helpful = kind == "readyz" or "retry-after" in answer.headers
        told.unhelpful += answer.is_server_error and not is_helpful
    told.answers[seen] += 1
    told.worst_s = max(told.worst_s, time.monotonic() - start_s)
    return seen


async def _recover(wishes: Wishes) -> float:
    """Tell how long it takes until everything is as it should be."""
    start_s = time.monotonic()
    while time.monotonic() - start_s < MOST_S:
        seen = await asyncio.gather(*(_ask(wishes, kind, Told()) for kind in GOOD))
        if all(one in GOOD[kind] for one, kind in zip(seen, GOOD, strict=True)):
            break
        await asyncio.sleep(PAUSE_S)
    return time.monotonic() - start_s
