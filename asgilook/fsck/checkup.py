"""A whole check-up: every part, one after the other."""

from collections.abc import AsyncIterator

from asgilook.fsck.bench import Bench
from asgilook.fsck.findings import Finding
from asgilook.fsck.leftovers import Claims, Deletions, Unfinished
from asgilook.fsck.pictures import Pictures


class Checkup:
    """Finds what is wrong in a store, and mends it if the bench says so.

    With `is_quick` the listing is held against the names of the pictures only, which takes two
    requests for each thousand of them; else against their metadata, which takes one for each more.
    Raises `StoreUnavailable`.
    """

    def __init__(self, bench: Bench, *, is_quick: bool) -> None:
        self._bench = bench
        # Claims before tombstones: one whose tombstone is gone would bring the image back.
        self._parts = (
            Pictures(bench, is_quick=is_quick),
            Claims(bench),
            Deletions(bench),
            Unfinished(bench),
        )

    async def findings(self) -> AsyncIterator[Finding]:
        """Look at everything."""
        for part in self._parts:
            async for finding in part.findings():
                yield finding

    async def count(self) -> int:
        """Count what there is to be looked at."""
        count = 0
        for part in self._parts:
            async for keys in self._bench.keys(part.prefix):
                count += len(keys)
        return count
