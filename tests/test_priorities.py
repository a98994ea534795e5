"""Whatever works on pixels gives way to what answers."""

import os
from collections.abc import AsyncIterator
from functools import partial

import pytest

from asgilook.workers import Workers
from tests.rooms import done, opened

LOWEST = 19


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    async with opened(Workers(1, 64 * 1024 * 1024, 60)) as made:
        yield made


@pytest.mark.parametrize("kind", ["decoding", "rendering"])
async def test_it_has_the_lowest_priority(workers: Workers, kind: str) -> None:
    niceness = partial(os.getpriority, os.PRIO_PROCESS, 0)
    assert await done(getattr(workers, kind), niceness, 1) == LOWEST
