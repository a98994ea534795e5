"""The promises that every cache keeps; no implementation repeats them.

`tests/contracts/test_cache.py` holds each implementation to them.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asgilook import timing

REFUSED_S = 600
"""How long a cache keeps nothing of an image that was dropped: longer than any rendering takes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A rendering, with all that an answer to its reader needs."""

    content_type: str
    etag: str
    """Strong, quotes included."""
    modified: datetime
    """In UTC and whole seconds."""
    body: bytes


Found = Callable[[Entry | None, Mapping[str, float]], None]
"""Takes what a lookup found, and the seconds that it took, by what they were spent on."""


class Lease:
    """The right to make something; this one is nobody's to take away."""

    async def release(self) -> None:
        """Give the right back; once is enough."""


class Cache(ABC):
    """Renderings by image and name, for a while.

    Everything in a cache can be lost at any moment, and no method raises for trouble of the
    cache's own: a failed `get` is a miss and a failed `put` is forgotten, both logged. No method
    takes longer than 0.3 s.
    """

    async def open_up(self) -> None:  # noqa: B027 - not every cache has something to open
        """Get ready for use, once, inside the event loop that will use the cache."""

    async def close(self) -> None:  # noqa: B027 - nor to close
        """Let go of connections, once, when nothing uses the cache any more."""

    async def is_well(self) -> bool:
        """Tell whether the cache works; memory always does."""
        return True

    async def get(self, image_id: UUID, name: str) -> Entry | None:
        """Look a rendering up; finding it makes it and its siblings stay longer."""
        found: asyncio.Future[tuple[Entry | None, Mapping[str, float]]]
        found = asyncio.get_running_loop().create_future()

        def tell(entry: Entry | None, spent_s: Mapping[str, float]) -> None:
            if not found.done():
                found.set_result((entry, spent_s))

        self.find(image_id, name, tell)
        entry, spent_s = await found
        timing.add(spent_s)
        return entry

    def at_hand(self, image_id: UUID, name: str) -> Entry | None:
        """Look up what can be had without asking anybody; None tells nothing."""
        return None

    @abstractmethod
    def find(self, image_id: UUID, name: str, found: Found) -> None:
        """Look a rendering up as `get` does, for who has no task to wait in.

        `found` is called once: now, where the answer is at hand, or else later.
        """

    @abstractmethod
    async def put(self, image_id: UUID, entries: Mapping[str, Entry]) -> bool:
        """Keep renderings of one image, by name; False where it is known to have been dropped."""

    @abstractmethod
    async def drop(self, image_id: UUID) -> None:
        """Forget everything about an image, for good: what is put within `REFUSED_S` is refused.

        So a rendering that was under way cannot bring it back.
        """

    @abstractmethod
    async def lease(self, image_id: UUID, work: str) -> Lease | None:
        """Take the right to do a piece of work on an image; None while somebody else has it.

        Whoever has it releases it, after what was made is put. It is lost when its holder dies,
        after a while. A cache in trouble gives it to everybody: work done twice is still done.
        """
