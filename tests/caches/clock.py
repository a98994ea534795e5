"""Time as the caches see it: it can be moved on, so that no test has to wait for it to pass."""

from collections.abc import Mapping
from pathlib import Path


class Clock:
    """Runs as any clock does, ahead of it by what was passed.

    libfaketime reads the lead from a file whenever a program that it is loaded into asks for the
    time of day; the clocks that only run, which timers hang on, are left alone.
    """

    def __init__(self, folder: Path, *libraries: Path) -> None:
        self._file = folder / "lead"
        self._libraries = libraries
        self._lead_s = 0
        self.move_on(0)

    @property
    def environment(self) -> Mapping[str, str]:
        """Give what a program has to be started with."""
        return {
            "LD_PRELOAD": ":".join(str(library) for library in self._libraries),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def move_on(self, seconds: int) -> None:
        """Let time pass."""
        self._lead_s += seconds
        update = self._file.with_suffix(".new")
        update.write_text(f"+{self._lead_s}s\n")
        update.replace(self._file)
