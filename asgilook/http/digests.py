"""Digests of what is sent and received (RFC 9530)."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any, Self

import http_sf

from asgilook.errors import DigestMalformed, DigestMismatch

# An upload is not encoded on its way, so its content is its representation.
_FIELDS = ("content-digest", "repr-digest")
_ALGORITHMS = {"sha-256": "sha256", "sha-512": "sha512"}


class Digests:
    """What the digest fields of a request announce, and the hashes to hold against it."""

    def __init__(self, expected: list[tuple[str, bytes]]) -> None:
        self._expected = expected
        self._hashes: dict[str, Any] = {
            name: hashlib.new(_ALGORITHMS[name]) for name, _ in expected
        }

    @classmethod
    def announced(cls, field: Callable[[str], str | None]) -> Self:
        """Read the fields; algorithms that are not known here are passed over.

        Raises `DigestMalformed`.
        """
        values = [value for name in _FIELDS if (value := field(name)) is not None]
        return cls([pair for value in values for pair in _parse(value)])

    def update(self, piece: bytes) -> None:
        """Take in the next bytes of the body."""
        for running in self._hashes.values():
            running.update(piece)

    def verify(self) -> None:
        """Hold the whole body against what was announced. Raises `DigestMismatch`."""
        for name, digest in self._expected:
            if self._hashes[name].digest() != digest:
                raise DigestMismatch(name)


def spelled(sha256: bytes) -> str:
    """Spell a digest as the value of a digest field."""
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"


def _parse(value: str) -> list[tuple[str, bytes]]:
    try:
        members: Any = http_sf.parse(value.encode("latin-1"), tltype="dictionary")
    except ValueError as error:
        raise DigestMalformed(str(error)) from error
    known = [(name, members[name][0]) for name in _ALGORITHMS if name in members]
    if not all(isinstance(digest, bytes) for _, digest in known):
        raise DigestMalformed(value)
    return known
