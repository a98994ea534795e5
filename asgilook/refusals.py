"""What was refused for its content, remembered for a while: the same bomb costs nothing twice."""

from datetime import UTC, datetime
from uuid import UUID

from asgilook.cache import Cache, Entry
from asgilook.errors import BrokenPicture, PictureTooLarge, UnsupportedType, UploadRefused

_KINDS: dict[str, type[UploadRefused]] = {
    kind.__name__: kind for kind in (BrokenPicture, PictureTooLarge, UnsupportedType)
}


class Refusals:
    """Kept in the cache, as an entry under an id that is made of the upload's digest.

    `terms` names what the refusals depend on, so that other terms mean a new judgement.
    """

    def __init__(self, cache: Cache, terms: str) -> None:
        self._cache = cache
        self._name = f"refused {terms}"

    async def check(self, sha256: bytes) -> None:
        """Refuse an upload that was refused before, and for the same reason."""
        entry = await self._cache.get(_id(sha256), self._name)
        if entry is not None and entry.content_type in _KINDS:
            raise _KINDS[entry.content_type]("refused before")

    async def remember(self, sha256: bytes, refusal: UploadRefused) -> None:
        """Keep a refusal, if it is one for the upload's content."""
        kind = type(refusal).__name__
        if kind in _KINDS:
            now = datetime.now(UTC).replace(microsecond=0)
            await self._cache.put(_id(sha256), {self._name: Entry(kind, '""', now, b"")})


def _id(sha256: bytes) -> UUID:
    return UUID(bytes=sha256[:16])
