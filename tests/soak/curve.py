"""What a family of processes holds, over time, and whether it grows."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from statistics import fmean, linear_regression

from tests.load.memory import family_mib

WARM_UP = 1 / 3
"""Of the time: caches fill, pools open, decoders take what they keep."""

TOLERANCE = 0.05
"""What a value may grow by, of its mean, from the warm-up's end to the end."""
LEAST = 2
"""Nothing smaller than this is growth."""

WIDTH = 60
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Sample:
    """What all processes hold together at a moment."""

    time_s: float
    memory_mib: float
    open_files: int
    threads: int
    processes: int


@dataclass(frozen=True, slots=True)
class Trend:
    """How one value went."""

    name: str
    values: Sequence[float]
    growth: float
    """From the warm-up's end to the end, by the line that fits best."""

    @property
    def is_flat(self) -> bool:
        """Tell whether it stays below what noise may be."""
        return self.growth <= max(LEAST, TOLERANCE * fmean(self.values))

    def __str__(self) -> str:
        """Draw it."""
        verdict = "flat" if self.is_flat else "GROWS"
        return (
            f"{self.name:12} {sparkline(self.values)} {min(self.values):.0f} to "
            f"{max(self.values):.0f}, {self.growth:+.1f} after the warm-up: {verdict}"
        )


def sample(pid: int, time_s: float) -> Sample:
    """Look at a process and all that it started; sockets and pipes are open files too."""
    sizes_mib = family_mib(pid)
    files, threads = (
        sum(_count(Path(f"/proc/{each}/{what}")) for each in sizes_mib) for what in ("fd", "task")
    )
    return Sample(time_s, sum(sizes_mib.values()), files, threads, len(sizes_mib))


def trends(samples: Sequence[Sample]) -> list[Trend]:
    """Follow each value over the samples."""
    settled = samples[int(len(samples) * WARM_UP) :]
    times_s = [each.time_s for each in settled]
    found = []
    for place, name in enumerate(names()[1:], 1):
        slope = linear_regression(times_s, [astuple(each)[place] for each in settled]).slope
        growth = slope * (times_s[-1] - times_s[0])
        found.append(Trend(name, [astuple(each)[place] for each in samples], growth))
    return found


def names() -> list[str]:
    """Name what is in a sample."""
    return [field.name for field in fields(Sample)]


def sparkline(values: Sequence[float]) -> str:
    """Draw values in a line of text, from nothing to their maximum."""
    step = max(1, len(values) / WIDTH)
    means = [
        fmean(values[int(at * step) : max(int(at * step) + 1, int((at + 1) * step))])
        for at in range(int(len(values) / step))
    ]
    most = max(means) or 1
    return "".join(_BARS[min(len(_BARS) - 1, int(mean / most * len(_BARS)))] for mean in means)


def _count(folder: Path) -> int:
    """Count what is in a folder of a process, which may be gone."""
    try:
        return len(list(folder.iterdir()))
    except OSError:
        return 0
