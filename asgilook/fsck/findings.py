"""What can be found wrong in a store."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong, by a code that never changes."""

    UNLISTED = "picture-without-record"
    NO_PICTURE = "record-without-picture"
    WRONG_RECORD = "record-wrong"
    HALF_DELETED = "deletion-unfinished"
    EMPTY_CLAIM = "claim-without-image"
    OLD_TOMBSTONE = "tombstone-over"
    UNFINISHED = "file-unfinished"
    BROKEN = "object-broken"
    FOREIGN = "foreign-object"

    @property
    def is_problem(self) -> bool:
        """Tell whether it is for us to mend: what others put there is none of our business."""
        return self is not Kind.FOREIGN


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, the object's key, and whether it was mended."""

    kind: Kind
    key: str
    is_mended: bool = False
