"""Asking S3 again while trouble may pass and there is time left."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from asgilook.errors import StoreTimeout, StoreUnavailable
from asgilook.store.s3_trouble import as_store_errors
from asgilook.timing import timed

TRIES = 3
PAUSE_S = 0.2
"""Doubled with each try, and cut short by chance, lest all come back at once."""
SPARE = 20
"""How many times more may be asked than is answered: when S3 is down, nothing is tried twice."""
EARNED = 0.1
"""What an answer adds to that."""

T = TypeVar("T")


class Tries:
    """Runs requests within their time; what fails for once is done again.

    botocore's own retries do not look at the time that is left, and what they were waiting for is
    not told when it is over.
    """

    def __init__(self) -> None:
        self._spare = float(SPARE)

    async def run(self, work: Callable[[], Awaitable[T]], until_s: float) -> T:
        """Do it, if need be again, until it is too late. Raises the errors of every store."""
        with timed("s3"):
            try:
                return await self._once(work, until_s)
            except StoreUnavailable as error:
                return await self._again(work, until_s, error)

    async def _again(
        self, work: Callable[[], Awaitable[T]], until_s: float, error: StoreUnavailable
    ) -> T:
        for number in range(1, TRIES):
            pause_s = random.uniform(0, PAUSE_S * 2**number)  # noqa: S311 - nobody's secret
            if not self._is_worth_it(error, until_s - pause_s):
                break
            await asyncio.sleep(pause_s)
            try:
                return await self._once(work, until_s)
            except StoreTimeout:
                # What made it necessary to ask again says more.
                break
            except StoreUnavailable as newer:
                error = newer
        raise error

    async def _once(self, work: Callable[[], Awaitable[T]], until_s: float) -> T:
        with as_store_errors():
            async with asyncio.timeout_at(until_s):
                done = await work()
        self._spare = min(SPARE, self._spare + EARNED)
        return done

    def _is_worth_it(self, error: StoreUnavailable, until_s: float) -> bool:
        """Tell whether to ask once more; the kinds of trouble that have a name do not pass."""
        is_late = asyncio.get_running_loop().time() > until_s
        if type(error) is not StoreUnavailable or self._spare < 1 or is_late:
            return False
        self._spare -= 1
        return True
