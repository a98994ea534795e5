"""What a cache in memory promises beyond every cache's: a bound, a lifetime, and who goes first."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgilook.cache import Entry
from asgilook.cache.base import REFUSED_S
from asgilook.cache.memory import ENTRY_OVERHEAD_BYTES, REMEMBERED_DROPS, MemoryCache

TTL_S = 60.0
IDS = [UUID(int=number) for number in range(4)]
A, B, C, D = IDS


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


def entry(length: int = 10_000) -> Entry:
    return Entry("image/jpeg", '"e"', datetime(2026, 1, 1, tzinfo=UTC), bytes(length))


def cost(length: int) -> int:
    return length + ENTRY_OVERHEAD_BYTES


async def held(cache: MemoryCache, *image_ids: UUID) -> list[bool]:
    return [await cache.get(image_id, "a") is not None for image_id in image_ids]


async def test_the_image_used_longest_ago_makes_room() -> None:
    cache = MemoryCache(3 * cost(10_000), TTL_S)
    for image_id in (A, B, C):
        await cache.put(image_id, {"a": entry()})
    await cache.get(A, "a")
    await cache.put(D, {"a": entry()})
    assert await held(cache, A, B, C, D) == [True, False, True, True]


async def test_using_one_rendering_keeps_its_siblings() -> None:
    cache = MemoryCache(3 * cost(10_000), TTL_S)
    await cache.put(A, {"a": entry(), "b": entry()})
    await cache.put(B, {"a": entry()})
    await cache.get(A, "b")
    await cache.put(C, {"a": entry()})
    assert await held(cache, A, B, C) == [True, False, True]


@pytest.mark.parametrize("limit_bytes", [0, 1, cost(10_000) - 1])
async def test_what_is_larger_than_the_cache_is_not_kept(limit_bytes: int) -> None:
    cache = MemoryCache(limit_bytes, TTL_S)
    await cache.put(A, {"a": entry()})
    assert await held(cache, A) == [False]
    assert cache.held_bytes == 0


async def test_what_is_larger_than_the_cache_takes_nobody_elses_place() -> None:
    cache = MemoryCache(3 * cost(10_000), TTL_S)
    for image_id in (A, B):
        await cache.put(image_id, {"a": entry()})
    await cache.put(C, {"a": entry(4 * 10_000)})
    await cache.put(B, {name: entry() for name in "bcd"})
    assert await held(cache, A, B, C) == [True, False, False]
    assert cache.held_bytes == cost(10_000)


async def test_what_just_fits_is_kept() -> None:
    cache = MemoryCache(cost(10_000), TTL_S)
    await cache.put(A, {"a": entry()})
    assert await held(cache, A) == [True]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "get", "drop", "wait"]),
            st.sampled_from(IDS),
            st.dictionaries(st.sampled_from("ab"), st.integers(0, 3000), min_size=1),
        ),
        max_size=40,
    )
)
def test_the_count_of_bytes_is_true_and_within_the_bound(
    calls: list[tuple[str, UUID, dict[str, int]]],
) -> None:
    limit_bytes, clock = 6000, Clock()

    async def follow() -> None:
        cache = MemoryCache(limit_bytes, TTL_S, clock=clock)
        for call, image_id, lengths in calls:
            if call == "put":
                await cache.put(image_id, {name: entry(n) for name, n in lengths.items()})
            elif call == "get":
                await cache.get(image_id, "a")
            elif call == "drop":
                await cache.drop(image_id)
            else:
                clock.now_s += TTL_S / 3
            assert cache.held_bytes <= limit_bytes
        found = [await cache.get(image_id, name) for image_id in IDS for name in "ab"]
        assert cache.held_bytes == sum(cost(len(each.body)) for each in found if each)

    asyncio.run(follow())


async def test_an_image_stays_for_its_lifetime_after_its_last_use() -> None:
    clock = Clock()
    cache = MemoryCache(100_000, TTL_S, clock=clock)
    await cache.put(A, {"a": entry(), "b": entry()})
    for _ in range(5):
        clock.now_s += TTL_S - 1
        assert await cache.get(A, "b") is not None
    clock.now_s += TTL_S - 1
    assert await held(cache, A) == [True]
    clock.now_s += TTL_S
    assert await held(cache, A) == [False]
    assert cache.held_bytes == 0


async def test_without_renewal_an_image_goes_its_lifetime_after_it_came() -> None:
    clock = Clock()
    cache = MemoryCache(100_000, TTL_S, renew=False, clock=clock)
    await cache.put(A, {"a": entry()})
    clock.now_s += TTL_S - 1
    await cache.put(A, {"b": entry()})
    assert await held(cache, A) == [True]
    clock.now_s += 1
    assert await held(cache, A) == [False]
    await cache.put(A, {"a": entry()})
    assert await held(cache, A) == [True]


async def test_what_is_dropped_is_refused_for_a_while() -> None:
    clock = Clock()
    cache = MemoryCache(100_000, TTL_S, clock=clock)
    await cache.drop(A)
    clock.now_s += REFUSED_S - 1
    assert not await cache.put(A, {"a": entry()})
    clock.now_s += 1
    assert await cache.put(A, {"a": entry()})
    assert await held(cache, A) == [True]


async def test_drops_are_remembered_up_to_a_bound() -> None:
    cache = MemoryCache(100_000, TTL_S)
    for number in range(REMEMBERED_DROPS + 1):
        await cache.drop(UUID(int=number))
    assert await cache.put(UUID(int=0), {"a": entry()})
    assert not await cache.put(UUID(int=1), {"a": entry()})
