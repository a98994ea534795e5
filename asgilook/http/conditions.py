"""Conditions and ranges of a request (RFC 9110, sections 13 and 14), as pure values."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Self

from asgilook.byte_range import ByteRange


class Verdict(Enum):
    """What a request's conditions come to (section 13.2.2)."""

    PROCEED = "proceed"
    NOT_MODIFIED = "not modified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells the current representation from others."""

    etag: str
    """Strong, quotes included."""
    modified: datetime | None = None
    """In UTC and whole seconds."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The fields of a request that decide whether and how much of it is answered."""

    if_match: str | None = None
    if_unmodified_since: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_range: str | None = None
    range: str | None = None

    @classmethod
    def read(cls, field: Callable[[str], str | None]) -> Self:
        """Take the conditions from the fields of a GET or HEAD."""
        return cls(*(field(name) for name in _FIELDS))

    @property
    def are_present(self) -> bool:
        """Tell whether the answer hangs on the validators of what is there."""
        return not (
            self.if_match is None
            and self.if_unmodified_since is None
            and self.if_none_match is None
            and self.if_modified_since is None
            and self.if_range is None
        )

    def judge(self, current: Validators) -> Verdict:
        """Weigh the conditions of a GET or HEAD, in the order of section 13.2.2."""
        if self.if_match is not None:
            if not _matches(self.if_match, current.etag, strongly=True):
                return Verdict.FAILED
        elif not _is_unmodified(self.if_unmodified_since, current, default=True):
            return Verdict.FAILED
        if self.if_none_match is not None:
            if names_etag(self.if_none_match, current.etag):
                return Verdict.NOT_MODIFIED
        elif _is_unmodified(self.if_modified_since, current, default=False):
            return Verdict.NOT_MODIFIED
        return Verdict.PROCEED

    def byte_range(self, current: Validators | None = None) -> ByteRange | None:
        """Give the part that is asked for, or None for the whole.

        A range that is not well-formed, in another unit, or of several parts is ignored, as
        sections 14.2 and 17.15 allow; so is one whose If-Range does not hold (section 13.1.5),
        for which `current` is needed.
        """
        if self.range is None or not self._range_holds(current):
            return None
        return parse_range(self.range)

    def _range_holds(self, current: Validators | None) -> bool:
        if self.if_range is None:
            return True
        if current is None:
            return False
        if self.if_range.startswith('"'):
            return self.if_range == current.etag
        date = parse_date(self.if_range)
        return date is not None and date == current.modified


_FIELDS = (
    "if-match",
    "if-unmodified-since",
    "if-none-match",
    "if-modified-since",
    "if-range",
    "range",
)

# Digits only, and few enough for any object: `int` alone would take `+1`, `1_0` and other scripts.
_RANGE = re.compile(r"bytes=([0-9]{1,18})?-([0-9]{1,18})?", re.IGNORECASE)


def parse_range(text: str) -> ByteRange | None:
    """Read a single range in bytes; anything else is None."""
    match = _RANGE.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    first, last = (None if digits is None else int(digits) for digits in match.groups())
    if first is not None and last is not None and first > last:
        return None
    return ByteRange(first, last)


_ENTITY_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_LIST = re.compile(rf"[ \t,]*(?:{_ENTITY_TAG.pattern}[ \t]*(?:,[ \t,]*|$))+")


def names_etag(if_none_match: str, etag: str) -> bool:
    """Tell whether an If-None-Match names the current entity tag."""
    return if_none_match == etag or _matches(if_none_match, etag, strongly=False)


def _matches(field: str, etag: str, *, strongly: bool) -> bool:
    """Tell whether a list of entity tags, or `*`, names the current one (section 8.8.3.2)."""
    if field.strip() == "*":
        return True
    if not _LIST.fullmatch(field):
        return False
    return any(
        opaque == etag and not (weak and strongly) for weak, opaque in _ENTITY_TAG.findall(field)
    )


def _is_unmodified(since: str | None, current: Validators, *, default: bool) -> bool:
    """Compare dates; a missing or invalid one decides nothing (sections 13.1.3 and 13.1.4)."""
    date = parse_date(since) if since else None
    if date is None or current.modified is None:
        return default
    return current.modified <= date


# What senders write, and the two older forms that recipients must know (section 5.6.7). Two digits
# of a year are read as one from 1969 to 2068: none is more than 50 years ahead, as it asks for.
_DATE_FORMS = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")


def parse_date(text: str) -> datetime | None:
    """Read an HTTP date in any of its three forms; anything else is None."""
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
