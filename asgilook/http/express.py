"""Thumbnails that are in the cache, answered without Falcon.

They are most of what is asked for, and always the same: routing, a request and a response object
cost more than all that is left to do. Everything else, and any condition but the usual one, goes
the long way, and gets the same answer there; `tests/http/test_express.py` holds the two together.
"""

import re
from functools import lru_cache
from uuid import UUID

from asgilook.cache import Entry
from asgilook.gallery import Gallery
from asgilook.http.answers import OF_THE_BODY
from asgilook.http.conditions import names_etag
from asgilook.http.exchange import EVERY_ANSWER, Exchange
from asgilook.http.head import Prepared
from asgilook.http.thumbnails import HIT, thumbnail_fields
from asgilook.http.traffic import Traffic, route_name
from asgilook.http.urls import THUMBNAIL
from asgilook.ids import parse_id

REMEMBERED_PATHS = 5_000
LONGEST_PATH = len("/thumbnails//99999x99999.jpeg") + 36

_ROUTE = route_name(THUMBNAIL)
_PATH = re.compile(r"/thumbnails/([0-9a-f-]{36})/([1-9][0-9]{0,4}x[1-9][0-9]{0,4}\.[a-z]{4})")


class Express:
    """Answers what it can, and leaves the rest."""

    def __init__(self, gallery: Gallery, traffic: Traffic) -> None:
        self._gallery = gallery
        self._traffic = traffic
        self._read = lru_cache(REMEMBERED_PATHS)(_read)

    async def answer(self, exchange: Exchange, method: str, path: str) -> bool:
        """Answer a plain GET of a thumbnail that is in the cache; tell whether that was done."""
        # No long path is worth being remembered.
        asked = self._read(path) if method == "GET" and len(path) <= LONGEST_PATH else None
        if asked is None or not exchange.head.is_plain:
            return False
        entry = await self._gallery.cached(asked.image_id, asked.name)
        if entry is None:
            return False
        if asked.etag != entry.etag:
            asked.spell(entry)
        self._traffic.hits += 1
        exchange.route = _ROUTE
        known = exchange.head.if_none_match
        if known is not None and names_etag(known.decode("latin-1"), entry.etag):
            await exchange.give(304, asked.without_body, b"")
        else:
            await exchange.give(200, asked.with_body, entry.body)
        return True


class _Asked:
    """What a path asks for, and the heads of its answers, spelled out once."""

    __slots__ = ("etag", "image_id", "name", "with_body", "without_body")

    def __init__(self, image_id: UUID, name: str) -> None:
        self.image_id = image_id
        self.name = name
        self.etag: str | None = None

    def spell(self, entry: Entry) -> None:
        fields = thumbnail_fields(self.image_id, entry.content_type, entry.etag, entry.modified)
        fields |= HIT | {"content-length": str(len(entry.body))}
        spelled = {name: (name.encode(), value.encode()) for name, value in fields.items()}
        shared = [field for name, field in spelled.items() if name not in _OF_200]
        self.etag = entry.etag
        self.with_body = Prepared([*spelled.values(), *EVERY_ANSWER])
        self.without_body = Prepared([*shared, *EVERY_ANSWER])


_OF_200 = {*OF_THE_BODY, "content-length"}


def _read(path: str) -> _Asked | None:
    match = _PATH.fullmatch(path)
    image_id = parse_id(match[1]) if match else None
    return _Asked(image_id, match[2]) if match and image_id else None
