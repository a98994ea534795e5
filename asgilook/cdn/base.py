"""The promise that every purger keeps; no implementation repeats it.

`tests/contracts/test_purger.py` holds each implementation to it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

MAX_TAGS = 50
"""The most tags of one call: CloudFront takes the fewest paths at once that way, others more."""

LIMIT_S = 5.0
"""How long a CDN may take for its answer."""


class Purger(ABC):
    """Tells a CDN to forget all that carries one of some tags."""

    async def open_up(self) -> None:  # noqa: B027 - not every purger has something to open
        """Get ready for use, once, inside the event loop that will use the purger."""

    async def close(self) -> None:  # noqa: B027 - nor to close
        """Let go of connections, once."""

    @abstractmethod
    async def purge(self, tags: Sequence[str], reference: str) -> None:
        """Have up to `MAX_TAGS` tags forgotten: when this returns the CDN has taken the order.

        `reference` is the same when the same order is given again, so that a CDN which knows of
        such things takes it once. Raises `PurgeFailed` when it did not take it, for whatever
        reason; the same order may be taken later.
        """


class NoPurger(Purger):
    """For where nothing stands in front, or nothing that can be told."""

    async def purge(self, tags: Sequence[str], reference: str) -> None:
        pass
