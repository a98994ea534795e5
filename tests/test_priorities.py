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


async def test_a_decoder_is_weighed_together_with_what_it_gives_way_to(workers: Workers) -> None:
    # Between sessions Linux divides the processors whatever the priorities: sched(7), autogroup.
    assert await done(workers.decoding, partial(os.getsid, 0), 1) == os.getsid(0)


async def test_a_decoder_is_left_alone_by_the_terminal(workers: Workers) -> None:
    assert await done(workers.decoding, os.getpgrp, 1) != os.getpgrp()


@pytest.mark.parametrize("kind", ["decoding", "rendering"])
async def test_it_has_the_lowest_priority(workers: Workers, kind: str) -> None:
    niceness = partial(os.getpriority, os.PRIO_PROCESS, 0)
    assert await done(getattr(workers, kind), niceness, 1) == LOWEST


async def test_what_answers_gives_way_to_nobody(workers: Workers) -> None:
    await done(workers.rendering, os.getpid, 1)
    assert os.getpriority(os.PRIO_PROCESS, 0) < LOWEST
