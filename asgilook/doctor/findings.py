"""What the doctor says of one thing that was looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, what was seen, and how to mend it."""

    level: Level
    what: str
    seen: str
    mend: str = ""

    def __str__(self) -> str:
        seen = " ".join(self.seen.split())  # what servers say may have lines of its own
        return f"{self.level:4}  {self.what:25}  {seen}" + (f": {self.mend}" if self.mend else "")


def ok(what: str, seen: str) -> Finding:
    """Say that it is well."""
    return Finding(Level.OK, what, seen)


def warn(what: str, seen: str, mend: str) -> Finding:
    """Say that it works, but not as well as it should."""
    return Finding(Level.WARN, what, seen, mend)


def fail(what: str, seen: str, mend: str) -> Finding:
    """Say that the service does not work with it."""
    return Finding(Level.FAIL, what, seen, mend)
