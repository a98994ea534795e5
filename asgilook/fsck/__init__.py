"""Looks a store over for what interrupted work left in it, beside a fleet that goes on working.

Nothing is held still meanwhile. What looks wrong is looked at once more before it is told of, what
came in or went lately is left alone, and every mend is one that a running upload or deletion could
have overtaken: it looks again after it wrote.
"""

from asgilook.fsck.bench import Bench
from asgilook.fsck.checkup import Checkup
from asgilook.fsck.findings import Finding, Kind

__all__ = ["Bench", "Checkup", "Finding", "Kind"]
