"""Claims: what makes an upload that is sent twice one image (the Idempotency-Key field).

A claim is an object, named by a hash of the client's key, that says which image the key stands for
and which upload it was given with. It is made before the image is: whoever sends the same again,
to this process or another, during the first attempt or after it failed, makes the same image; and
none any more once that was deleted, for as long as its tombstone lies there.
"""

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from asgilook.errors import ClaimMismatch, ObjectExists, ObjectNotFound, StoreBroken
from asgilook.store import Store

CLAIMS_PREFIX = "claims/"

_TRIES = 10


@dataclass(frozen=True, slots=True)
class Claim:
    """A client's key for one upload, and the upload's digest."""

    key: str
    sha256: bytes

    @property
    def object_key(self) -> str:
        """Name the object that stands for the claim."""
        return f"{CLAIMS_PREFIX}{self.name}"

    @property
    def name(self) -> str:
        """Give what is kept of the key: anybody may have chosen anything for it."""
        return hashlib.sha256(self.key.encode()).hexdigest()


class Claims:
    """Keeps claims in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def settle(self, claim: Claim, image_id: UUID) -> UUID:
        """Give the image that a claim stands for: `image_id`, if nobody made the claim before.

        Raises `ClaimMismatch` where it was made with another upload.
        """
        key, mine = claim.object_key, {"image": str(image_id), "sha256": claim.sha256.hex()}
        for _ in range(_TRIES):
            try:
                await self._store.put(key, b"", content_type="text/plain", metadata=mine)
            except ObjectExists:
                # Or it was released this very moment.
                with contextlib.suppress(ObjectNotFound):
                    return _image_of(claim, (await self._store.stat(key)).metadata)
            else:
                return image_id
        raise StoreBroken(f"{key} is there, and is not")

    async def release(self, claim: Claim, image_id: UUID) -> None:
        """Forget a claim that stands for an image that will not come."""
        # Who shared it may have released it before, and somebody made it anew.
        with contextlib.suppress(ObjectNotFound, ClaimMismatch):
            told = (await self._store.stat(claim.object_key)).metadata
            if _image_of(claim, told) == image_id:
                await self._store.delete(claim.object_key)


def _image_of(claim: Claim, told: Mapping[str, str]) -> UUID:
    """Read which image a claim was made for."""
    try:
        image_id, sha256 = UUID(told["image"]), bytes.fromhex(told["sha256"])
    except (KeyError, ValueError) as error:
        raise StoreBroken(f"{claim.object_key} tells of no image") from error
    if sha256 != claim.sha256:
        raise ClaimMismatch(claim.name)
    return image_id
