"""How fast a line moves, and so when who is turned away had better come back."""

import math
from collections.abc import Callable

BYTES_A_SECOND = 100_000_000
"""How much of a line is done in a second, as long as nothing was measured."""

MAX_RETRY_AFTER_S = 60

_WEIGHT = 0.8
"""Of what was measured before, beside what is measured now."""


class Pace:
    """The cost of what got done, by the time that it took."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._cost: float = BYTES_A_SECOND
        self._spent_s = 1.0
        self._mark_s = clock()

    def begin(self) -> None:
        """Start to look at the clock, after nothing was to be done."""
        self._mark_s = self._clock()

    def note(self, cost: int) -> None:
        """Note that a job is done."""
        now_s = self._clock()
        self._cost = self._cost * _WEIGHT + cost
        self._spent_s = self._spent_s * _WEIGHT + now_s - self._mark_s
        self._mark_s = now_s

    def wait_s(self, cost: int) -> int:
        """Estimate how long so much takes, in whole seconds within bounds."""
        seconds = math.ceil(cost * self._spent_s / self._cost)
        return min(max(1, seconds), MAX_RETRY_AFTER_S)
