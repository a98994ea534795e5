"""Thumbnails that are in the cache, answered without Falcon.

They are most of what is asked for, and always the same: routing, a request and a response object
cost more than all that is left to do. Everything else, and any condition but the usual one, goes
the long way, and gets the same answer there; `tests/http/test_express.py` holds the two together.
"""

import re
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from asgilook.gallery import Gallery
from asgilook.http.answers import OF_THE_BODY
from asgilook.http.conditions import names_etag
from asgilook.http.exchange import EVERY_ANSWER, Exchange
from asgilook.http.head import Prepared
from asgilook.http.thumbnails import HIT, thumbnail_fields
from asgilook.ids import parse_id

REMEMBERED_HEADS = 10_000
LONGEST_PATH = len("/thumbnails//99999x99999.jpeg") + 36

_PATH = re.compile(r"/thumbnails/([0-9a-f-]{36})/([1-9][0-9]{0,4}x[1-9][0-9]{0,4}\.[a-z]{4})")


class Express:
    """Answers what it can, and leaves the rest."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._read = lru_cache(REMEMBERED_HEADS)(_read)
        self._head = lru_cache(REMEMBERED_HEADS)(_prepare)

    async def answer(self, exchange: Exchange, method: str, path: str) -> bool:
        """Answer a plain GET of a thumbnail that is in the cache; tell whether that was done."""
        # No long path is worth being remembered.
        named = self._read(path) if method == "GET" and len(path) <= LONGEST_PATH else None
        if named is None or not exchange.head.is_plain:
            return False
        image_id, name = named
        entry = await self._gallery.cached(image_id, name)
        if entry is None:
            return False
        known = exchange.head.if_none_match
        is_known = known is not None and names_etag(known.decode("latin-1"), entry.etag)
        status, body = (304, None) if is_known else (200, entry.body)
        length = None if body is None else len(body)
        head = self._head(image_id, entry.content_type, entry.etag, entry.modified, length)
        await exchange.give(status, head, body or b"")
        return True


def _read(path: str) -> tuple[UUID, str] | None:
    match = _PATH.fullmatch(path)
    image_id = parse_id(match[1]) if match else None
    return (image_id, match[2]) if match and image_id else None


def _prepare(
    image_id: UUID, content_type: str, etag: str, modified: datetime, length: int | None
) -> Prepared:
    named = {**thumbnail_fields(image_id, content_type, etag, modified), **HIT}
    if length is None:
        named = {name: value for name, value in named.items() if name not in OF_THE_BODY}
    else:
        named["content-length"] = str(length)
    fields = [(name.encode(), value.encode()) for name, value in named.items()]
    return Prepared(fields + EVERY_ANSWER)
