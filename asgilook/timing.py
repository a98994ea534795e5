"""Where the time of a request goes, noted by whichever room spends it."""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Self

_spent_s: ContextVar[dict[str, float] | None] = ContextVar("asgilook_spent_s", default=None)


def begin() -> dict[str, float]:
    """Start a note for the request of this task; what follows in it is added up there, by name."""
    spent_s: dict[str, float] = {}
    _spent_s.set(spent_s)
    return spent_s


def add(more_s: Mapping[str, float]) -> None:
    """Note times that were taken elsewhere, in another thread or process."""
    spent_s = _spent_s.get()
    if spent_s is not None:
        for name, seconds in more_s.items():
            spent_s[name] = spent_s.get(name, 0.0) + seconds


def spent_s(*names: str) -> float:
    """Tell how much of the time of this task's request is noted under these names."""
    spent_s = _spent_s.get() or {}
    return sum(spent_s.get(name, 0.0) for name in names)


class timed:  # noqa: N801 - reads as the statement that it makes
    """Notes how long a block takes: `with timed("s3"):`."""

    __slots__ = ("_name", "_start_s")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> Self:
        self._start_s = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        spent_s = _spent_s.get()
        if spent_s is not None:
            seconds = time.perf_counter() - self._start_s
            spent_s[self._name] = spent_s.get(self._name, 0.0) + seconds
