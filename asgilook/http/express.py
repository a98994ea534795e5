"""Thumbnails that are in the cache, answered where the request is parsed.

They are most of what is asked for, and always the same: a task, routing, a request and a response
object cost more than all that is left to do. Everything else, and any condition but the usual one,
goes the long way through Falcon, and gets the same answer there; `tests/http/test_express.py`
holds the two together.
"""

import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from uuid import UUID

from asgilook.cache import Entry
from asgilook.gallery import Gallery
from asgilook.http.answers import OF_THE_BODY
from asgilook.http.books import Books
from asgilook.http.conditions import names_etag
from asgilook.http.exchange import EVERY_ANSWER, server_timing
from asgilook.http.head import Fields, Head, spelled
from asgilook.http.served import LEFT, Served
from asgilook.http.thumbnails import HIT, thumbnail_fields
from asgilook.http.traffic import route_name
from asgilook.http.urls import THUMBNAIL
from asgilook.ids import parse_id
from asgilook.timing import NOTHING

EXPRESS = "asgilook.express"
"""Where the application leaves its `Express`, in the state of its lifespan."""

REMEMBERED_PATHS = 5_000
LONGEST_PATH = len("/thumbnails//99999x99999.jpeg") + 36

Write = Callable[[int, bytes, bytes], bool]
"""Writes a status, fields as they are spelled, and a body; False where the client is gone."""

_ROUTE = route_name(THUMBNAIL)
_PATH = re.compile(rb"/thumbnails/([0-9a-f-]{36})/([1-9][0-9]{0,4}x[1-9][0-9]{0,4}\.[a-z]{4})")
_OF_200 = {*OF_THE_BODY, "content-length"}


class Express:
    """Answers what it can, and leaves the rest."""

    def __init__(self, gallery: Gallery, books: Books) -> None:
        self.gallery = gallery
        self.books = books
        self._read = lru_cache(REMEMBERED_PATHS)(_read)

    def take_in(self, target: bytes, fields: Fields) -> "Passenger | None":
        """Take in a GET by HTTP/1.1 where it is a plain one of a thumbnail."""
        # Nothing long is worth being remembered.
        wanted = self._read(target) if len(target) <= LONGEST_PATH else None
        if wanted is None:
            return None
        head = Head(fields)
        if head.has_body or head.expect or not (head.is_plain and head.names_host("1.1")):
            return None
        return Passenger(self, wanted, head)


class Passenger:
    """A request on its way."""

    __slots__ = ("_books", "_gallery", "_head", "_start_s", "_wanted")

    def __init__(self, express: Express, wanted: "_Wanted", head: Head) -> None:
        self._books = express.books
        self._gallery = express.gallery
        self._wanted = wanted
        self._head = head
        self._start_s = time.perf_counter()

    def is_served_at_hand(self, write: Write) -> bool:
        """Answer with what is in memory; tell whether that was done."""
        entry = self._gallery.at_hand(self._wanted.image_id, self._wanted.name)
        if entry is None:
            return False
        self._books.write(self._answer(entry, write, self._books.noted(NOTHING)))
        return True

    def serve(self, write: Write, otherwise: Callable[[], None]) -> None:
        """Answer with what is in the cache, later perhaps; else do something else, then."""
        self._books.enter()
        found = partial(self._found, write, otherwise)
        self._gallery.find_cached(self._wanted.image_id, self._wanted.name, found)

    def _found(
        self,
        write: Write,
        otherwise: Callable[[], None],
        entry: Entry | None,
        spent_s: Mapping[str, float],
    ) -> None:
        self._books.leave()
        if entry is None:
            otherwise()
        else:
            self._books.write(self._answer(entry, write, self._books.noted(spent_s)))

    def _answer(self, entry: Entry, write: Write, spent_s: Mapping[str, float]) -> Served:
        wanted, head = self._wanted, self._head
        if wanted.etag != entry.etag:
            wanted.spell(entry)
        known = head.if_none_match
        if known is not None and names_etag(known.decode("latin-1"), entry.etag):
            status, fields, body = 304, wanted.without_body, b""
        else:
            status, fields, body = 200, wanted.with_body, entry.body
        fields += b"x-request-id: %b\r\n" % head.request_id
        if spent_s:
            fields += b"server-timing: %b\r\n" % server_timing(spent_s)
        is_there = write(status, fields, body)
        self._books.note_hit()
        return Served(
            "GET",
            wanted.path,
            _ROUTE,
            status if is_there else LEFT,
            len(body) if is_there else 0,
            is_there,
            time.perf_counter() - self._start_s,
            spent_s,
            head,
        )


class _Wanted:
    """What a path asks for, and the heads of its answers, spelled out once."""

    __slots__ = ("etag", "image_id", "name", "path", "with_body", "without_body")

    def __init__(self, path: str, image_id: UUID, name: str) -> None:
        self.path = path
        self.image_id = image_id
        self.name = name
        self.etag: str | None = None

    def spell(self, entry: Entry) -> None:
        fields = thumbnail_fields(self.image_id, entry.content_type, entry.etag, entry.modified)
        fields |= HIT | {"content-length": str(len(entry.body))}
        all_fields = {name: (name.encode(), value.encode()) for name, value in fields.items()}
        shared = [field for name, field in all_fields.items() if name not in _OF_200]
        # A date that lies ahead is left out, and only until it does no longer.
        self.etag = entry.etag if "last-modified" in fields else None
        self.with_body = spelled([*all_fields.values(), *EVERY_ANSWER])
        self.without_body = spelled([*shared, *EVERY_ANSWER])


def _read(path: bytes) -> _Wanted | None:
    match = _PATH.fullmatch(path)
    image_id = parse_id(match[1].decode()) if match else None
    return _Wanted(path.decode(), image_id, match[2].decode()) if match and image_id else None
