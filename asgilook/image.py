"""An image, its sizes and its keys: what every other room speaks of. Pure values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self
from uuid import UUID

from asgilook.ids import MAX_MS, created_at, milliseconds, parse_id

PICTURES_PREFIX = "images/"
INDEX_PREFIX = "index/"
FALLBACK_SIDE = 128


class Format(StrEnum):
    """The formats thumbnails come in; the value is the extension in their URLs."""

    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"

    @property
    def media_type(self) -> str:
        """Name the format as HTTP does."""
        return f"image/{self.value}"

    @property
    def max_side(self) -> int:
        """Tell the longest side that a picture of the format can have: WebP has 14 bits for it."""
        return 16_383 if self is Format.WEBP else 65_500


class Size(NamedTuple):
    """Width and height in pixels, as displayed."""

    width: int
    height: int

    def __str__(self) -> str:
        """Spell the size as URLs do."""
        return f"{self.width}x{self.height}"

    def halved(self) -> "Size":
        """Take the next rung down."""
        return Size(self.width // 2, self.height // 2)

    def fitted(self, longer_side: int) -> "Size":
        """Shrink to a longer side of at most `longer_side`, keeping the proportions."""
        longest = max(self)
        if longest <= longer_side:
            return self
        return Size(*(max(1, round(side * longer_side / longest)) for side in self))


_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")


def parse_size(text: str) -> Size | None:
    """Read a size in its one canonical spelling; any other spelling is no size."""
    match = _SIZE.fullmatch(text)
    return Size(int(match[1]), int(match[2])) if match else None


def ladder(size: Size, min_side: int) -> list[Size]:
    """List the sizes an image comes in, largest first: its rungs.

    Each rung halves the one above while both sides stay at least `min_side`. An image too small
    or too long for that has one rung, its longer side `FALLBACK_SIDE` or its own if smaller.
    """
    rungs: list[Size] = []
    rung = size.halved()
    while min(rung) >= min_side:
        rungs.append(rung)
        rung = rung.halved()
    return rungs or [size.fitted(FALLBACK_SIDE)]


def picture_key(image_id: UUID) -> str:
    """Name the object that holds an image's JPEG."""
    return f"{PICTURES_PREFIX}{image_id}.jpeg"


def index_position(image_id: UUID) -> str:
    """Name a place in the index after this image's own key and before the next older one's.

    The time is reversed, so that a store's ascending order of keys is newest first; `z` sorts
    after every digit that can follow an id in an index key.
    """
    return f"{_index_stem(image_id)}z"


def index_bounds(after: UUID, upto: UUID) -> tuple[str, str]:
    """Give the places in the index before and behind all images with ids from one to another.

    There may be others in between, of the very milliseconds of these two.
    """
    return _reversed_time(upto), f"{_reversed_time(after)}z"


def _index_stem(image_id: UUID) -> str:
    return f"{_reversed_time(image_id)}-{image_id}-"


def _reversed_time(image_id: UUID) -> str:
    return f"{INDEX_PREFIX}{MAX_MS - milliseconds(image_id):012x}"


_INDEX_KEY = re.compile(
    re.escape(INDEX_PREFIX) + r"[0-9a-f]{12}-([0-9a-f-]{36})-(\d+)x(\d+)-(\d+)-((?:[0-9a-f]{2})*)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Image:
    """What is known of an image without opening it."""

    id: UUID
    size: Size
    length_bytes: int
    placeholder: bytes
    """A ThumbHash: some 25 bytes that unfold to a blurred preview."""

    @property
    def created(self) -> datetime:
        """Tell when the image came in, in UTC, to the millisecond."""
        return created_at(self.id)

    @property
    def modified(self) -> datetime:
        """Tell the same in whole seconds, as HTTP dates go: an image never changes."""
        return self.created.replace(microsecond=0)

    @property
    def picture_key(self) -> str:
        """Name the object that holds the JPEG."""
        return picture_key(self.id)

    @property
    def index_key(self) -> str:
        """Name the empty object whose key is this image's record in the listing."""
        return f"{_index_stem(self.id)}{self.size}-{self.length_bytes}-{self.placeholder.hex()}"

    @classmethod
    def from_index_key(cls, key: str) -> Self | None:
        """Read a record of the listing, or None where the key is not one of ours."""
        match = _INDEX_KEY.fullmatch(key)
        image_id = parse_id(match[1]) if match else None
        if match is None or image_id is None:
            return None
        size = Size(int(match[2]), int(match[3]))
        image = cls(image_id, size, int(match[4]), bytes.fromhex(match[5]))
        return image if image.index_key == key else None


@dataclass(frozen=True, slots=True)
class Original:
    """The JPEG kept for an image: what its object's metadata says beside the image itself."""

    image: Image
    sha256: bytes
    source_type: str
    """The media type of the upload that it was made from."""

    @property
    def etag(self) -> str:
        """Give the strong validator, quotes included: made from the bytes, the same everywhere."""
        return strong_etag(self.sha256)

    def metadata(self) -> dict[str, str]:
        """Give what the object carries so that `from_metadata` can read it back."""
        return {
            "width": str(self.image.size.width),
            "height": str(self.image.size.height),
            "placeholder": self.image.placeholder.hex(),
            "sha256": self.sha256.hex(),
            "source-type": self.source_type,
        }

    @classmethod
    def from_metadata(cls, image_id: UUID, length_bytes: int, metadata: Mapping[str, str]) -> Self:
        """Read an original from the metadata of its object.

        Raises `KeyError` or `ValueError` where the object is not one that we wrote.
        """
        size = Size(int(metadata["width"]), int(metadata["height"]))
        image = Image(image_id, size, length_bytes, bytes.fromhex(metadata["placeholder"]))
        sha256 = bytes.fromhex(metadata["sha256"])
        return cls(image, sha256, metadata["source-type"])


def strong_etag(sha256: bytes) -> str:
    """Make an entity tag of a digest (RFC 9110, section 8.8.3): half of it is unique enough."""
    return f'"{sha256[:16].hex()}"'
