"""Where the time of a request goes, noted by whichever room spends it."""

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType, TracebackType
from typing import NamedTuple, Self

MOST_BLOCKS = 100
"""An original that is read from a folder has one for each piece."""


class Spent(dict[str, float]):
    """Seconds, added up by what they were spent on."""

    tell: Callable[[str, float], None] | None = None
    """Is told what more is noted: what a request began may outlive it."""


NOTHING: Mapping[str, float] = MappingProxyType({})
"""No time at all."""


class Block(NamedTuple):
    """One time that something was done; it ended then by `time.perf_counter`."""

    name: str
    seconds: float
    end_s: float


class SpentInBlocks(Spent):
    """Remembers the first blocks one by one as well."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[Block] = []

    def remember(self, block: Block) -> None:
        """Remember one more, unless there are too many."""
        if len(self.blocks) < MOST_BLOCKS:
            self.blocks.append(block)


_spent_s: ContextVar[Spent | None] = ContextVar("asgilook_spent_s", default=None)


def begin(spent_s: Spent | None = None) -> Spent:
    """Start a note for the request of this task; what follows in it is added up there, by name."""
    if spent_s is None:
        spent_s = Spent()
    _spent_s.set(spent_s)
    return spent_s


def add(more_s: Mapping[str, float], spent_s: Spent | None = None) -> None:
    """Note times that were taken elsewhere, one after the other: in this task's note, or another.

    They may be those of another thread or process.
    """
    if spent_s is None:
        spent_s = _spent_s.get()
    if spent_s is not None:
        end_s = time.perf_counter() - sum(more_s.values())
        for name, seconds in more_s.items():
            end_s += seconds
            _note(spent_s, name, seconds, end_s)


def tell_more(tell: Callable[[str, float], None]) -> None:
    """Have somebody told of what is noted for this task's request from now on."""
    noted = _spent_s.get()
    if noted is not None:
        noted.tell = tell


def spent_s(*names: str) -> float:
    """Tell how much of the time of this task's request is noted under these names."""
    noted = _spent_s.get() or NOTHING
    return sum(noted.get(name, 0.0) for name in names)


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
            end_s = time.perf_counter()
            _note(spent_s, self._name, end_s - self._start_s, end_s)


def _note(spent_s: Spent, name: str, seconds: float, end_s: float) -> None:
    spent_s[name] = spent_s.get(name, 0.0) + seconds
    if spent_s.tell is not None:
        spent_s.tell(name, seconds)
    if isinstance(spent_s, SpentInBlocks):
        spent_s.remember(Block(name, seconds, end_s))
