"""Claims: what makes an upload that is sent twice one image (the Idempotency-Key field).

A claim is an object, named by a hash of the client's key, that says which image the key stands for
and which upload it was given with. It is made before the image is: whoever sends the same again,
to this process or another, during the first attempt or after it failed, makes the same image; and
none any more once that was deleted, for as long as its tombstone lies there.
"""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from asgilook.errors import ClaimMismatch, ObjectExists, ObjectNotFound
from asgilook.store import ObjectInfo, Store

CLAIMS_PREFIX = "claims/"


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
        mine = {"image": str(image_id), "sha256": claim.sha256.hex()}
        try:
            await self._store.put(claim.object_key, b"", content_type="text/plain", metadata=mine)
        except ObjectExists:
            return await self._earlier(claim, image_id)
        return image_id

    async def release(self, claim: Claim) -> None:
        """Forget a claim that stands for nothing."""
        await self._store.delete(claim.object_key)

    async def _earlier(self, claim: Claim, image_id: UUID) -> UUID:
        try:
            found: ObjectInfo = await self._store.stat(claim.object_key)
        except ObjectNotFound:
            # It was released this very moment.
            return await self.settle(claim, image_id)
        if found.metadata["sha256"] != claim.sha256.hex():
            raise ClaimMismatch(claim.name)
        return UUID(found.metadata["image"])
