"""Tombstones: what makes a deletion final, whoever is still at work on the image.

A tombstone is an object, written before anything of the image is removed. It is looked up only
where an image is not found, and where an upload under an older id ends. For a while it also tells
an image that was deleted from one that never was.
"""

import contextlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from asgilook.errors import ImageDeleted, ImageNotFound, ObjectExists, ObjectNotFound
from asgilook.ids import created_at
from asgilook.store import Store

TOMBSTONES_PREFIX = "tombstones/"

ABSENCE_S = 5
"""How long an image that was not there is taken not to be there: as long as a 404 may be kept."""
REMEMBERED_ABSENCES = 10_000


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def tombstone_key(image_id: UUID) -> str:
    """Name the object that says that an image was deleted."""
    return f"{TOMBSTONES_PREFIX}{image_id}"


class Tombstones:
    """Keeps tombstones in a store, and in mind for a moment which images are not there."""

    def __init__(self, store: Store, ttl_s: float, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._ttl = timedelta(seconds=ttl_s)
        self._clock = clock
        self._absences: dict[UUID, tuple[datetime, type[ImageNotFound]]] = {}

    async def put(self, image_id: UUID) -> None:
        """Say that an image is deleted; when this returns nobody can bring it back."""
        when = {"deleted": self._clock().isoformat(timespec="seconds")}
        with contextlib.suppress(ObjectExists):
            await self._store.put(
                tombstone_key(image_id), b"", content_type="text/plain", metadata=when
            )

    async def find(self, image_id: UUID) -> datetime | None:
        """Look up when an image was deleted, however long ago; None if it was not."""
        try:
            # Not `stat`: of what is not there it takes a bucket two requests to tell.
            async with await self._store.open(tombstone_key(image_id)) as stream:
                return _when(image_id, stream.info.metadata)
        except ObjectNotFound:
            return None

    async def check(self, image_id: UUID) -> None:
        """Raise `ImageDeleted` for an image that was deleted, however long ago."""
        if await self.find(image_id):
            raise ImageDeleted(str(image_id))

    def is_over(self, deleted: datetime) -> bool:
        """Tell whether a deletion is so long ago that nobody needs to know of it."""
        return self._clock() - deleted >= self._ttl

    async def absence(self, image_id: UUID) -> ImageNotFound:
        """Find what to say of an image that is not there, and remember it."""
        deleted = await self.find(image_id)
        kind = ImageDeleted if deleted and not self.is_over(deleted) else ImageNotFound
        self._absences.pop(image_id, None)
        self._absences[image_id] = self._clock() + timedelta(seconds=ABSENCE_S), kind
        if len(self._absences) > REMEMBERED_ABSENCES:
            del self._absences[next(iter(self._absences))]
        return kind(str(image_id))

    def recall(self, image_id: UUID) -> None:
        """Raise what was found a moment ago of an image that was not there."""
        until, kind = self._absences.get(image_id, (None, ImageNotFound))
        if until and until > self._clock():
            raise kind(str(image_id))

    def forget(self, image_id: UUID) -> None:
        """Let an image be there that was not."""
        self._absences.pop(image_id, None)


def _when(image_id: UUID, metadata: Mapping[str, str]) -> datetime:
    """Read when an image was deleted; by somebody's own hand, who says nothing of it, long ago."""
    try:
        return datetime.fromisoformat(metadata["deleted"]).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return created_at(image_id)
