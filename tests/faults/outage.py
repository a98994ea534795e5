"""What clients see while something fails, and how long after it."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
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
SPARE_FILES = 12
"""Connections that a pool may keep open beside those it had; they are not kept for ever."""


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

    @property
    def worst_s(self) -> float:
        """Tell how long anybody waited at the most."""
        return max(each.worst_s for each in self.told.values())

    def broken(self) -> Iterator[str]:
        """Say which promises were broken."""
        promise = self.row.promise
        for kind, told in self.told.items():
            for answer in told.answers.keys() - GOOD[kind] - promise.also.get(kind, frozenset()):
                yield f"{kind}: {answer}"
            if told.unhelpful:
                yield f"{kind}: no Retry-After"
            if told.worst_s > promise.within_s[kind]:
                yield f"{kind}: {told.worst_s:.1f} s"
        if self.recovered_s > RECOVERED_S:
            yield f"recovered after {self.recovered_s:.1f} s"
        before, after = self.open_files
        if after > before + SPARE_FILES:
            yield f"{after - before} more open files"


async def suffer(site: Site, row: Row) -> Outcome:
    """Let it happen to a site whose clients go on as ever, and see that it passes."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=site.service.url, timeout=MOST_S, limits=limits) as asked:
        wishes = Wishes(asked)
        await wishes.open_up(stock=20)
        await _recover(wishes)
        before = site.open_files()
        told = {kind: Told() for kind in wishes.all}
        with row.happen(site):
            await _ask_for_a_while(wishes, told)
        recovered_s = await _recover(wishes)
        return Outcome(row, told, recovered_s, (before, site.open_files()))


async def _ask_for_a_while(wishes: Wishes, told: dict[str, Told]) -> None:
    """Ask until each kind was answered a few times, or it takes too long."""
    asking = [asyncio.create_task(_ask_again(wishes, kind, told[kind])) for kind in told]
    deadline = time.monotonic() + MOST_S
    while min(each.answers.total() for each in told.values()) < TIMES:
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
