"""How every store lists its keys: the promises of `Store.scan`."""

import asyncio
from random import Random

from asgilook.store import Store


async def put(store: Store, key: str) -> None:
    await store.put(key, b"", content_type="text/plain", metadata={})


async def test_a_scan_lists_what_lies_under_the_prefix_in_order(store: Store) -> None:
    inside = ["index/0-b", "index/00", "index/a", "index/a-", "index/a0", "index/a_z", "index/z"]
    for key in [*reversed(inside), "indexes/a", "index-", "images/0.jpeg"]:
        await put(store, key)
    assert await store.scan("index/", limit=1000) == inside
    assert await store.scan("nothing/", limit=1000) == []


async def test_a_scan_starts_after_a_key_or_where_it_would_be_and_ends_at_the_limit(
    store: Store,
) -> None:
    keys = [f"index/{letter}" for letter in "bdfh"]
    for key in keys:
        await put(store, key)
    assert await store.scan("index/", limit=3) == keys[:3]
    assert await store.scan("index/", after="index/d", limit=1) == ["index/f"]
    assert await store.scan("index/", after="index/dz", limit=10) == keys[2:]
    assert await store.scan("index/", after="index/", limit=10) == keys
    assert await store.scan("index/", after="index/h", limit=10) == []


async def test_pages_of_a_scan_put_together_are_everything_once(store: Store) -> None:
    keys = [f"index/{number:03}" for number in range(120)]
    await asyncio.gather(*(put(store, key) for key in keys))
    found: list[str] = []
    while page := await store.scan("index/", after=found[-1] if found else "", limit=50):
        found += page
    assert found == keys


def awkward_names() -> list[str]:
    """Give names of all lengths that begin alike, in order."""
    chance = Random(20261125)
    made = {"".join(chance.choices("-0_az", k=chance.randint(1, 12))) for _ in range(60)}
    beginnings = {"0123456789ab"[:length] for length in range(1, 13)}
    return sorted(made | beginnings | {f"{name}-" for name in beginnings} | {"0123.jpeg", "a.jpeg"})


async def test_names_sort_as_text_whatever_their_length(store: Store) -> None:
    keys = [f"index/{name}" for name in awkward_names()]
    for key in Random(0).sample(keys, len(keys)):
        await put(store, key)
    assert await store.scan("index/", limit=1000) == keys
    for place, key in enumerate(keys[::7]):
        assert await store.scan("index/", after=key, limit=5) == keys[place * 7 + 1 :][:5]
        between = [other for other in keys if other > f"{key}-0"]
        assert await store.scan("index/", after=f"{key}-0", limit=5) == between[:5]


async def test_a_scan_may_start_anywhere(store: Store) -> None:
    await put(store, "index/a")
    for before in ("", "claims/z", "index", "index/"):
        assert await store.scan("index/", after=before, limit=10) == ["index/a"]
    for behind in ("index/b", "indexes/a", "tombstones/"):
        assert await store.scan("index/", after=behind, limit=10) == []
