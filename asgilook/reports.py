"""What a decoder reports of a job, as plain data: to read it can do nothing but give values.

The process has opened what a stranger sent, and may be the stranger's by now. So a report is read
as what the job's function says that it gives, by bounds that are known before, and whatever is
not as it should be ends the reading.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from asgilook import timing
from asgilook.codec import MAX_SIDE, MEDIA_TYPES, Header, Ingested
from asgilook.errors import BrokenPicture, PictureTooLarge, StoreUnavailable, UnsupportedType
from asgilook.image import Size

MAX_HEAD_BYTES = 64 * 1024
MAX_TEXT = 200
MAX_SECONDS = 3600

T = TypeVar("T")
Noted = tuple[T, dict[str, float]]
"""What a job gives, and the seconds that it spent on what."""

_REFUSALS = (BrokenPicture, PictureTooLarge, UnsupportedType, MemoryError)
_FAILURES = (StoreUnavailable,)


@dataclass(frozen=True, slots=True)
class Head:
    """The first part of a report: what it tells, and how long the parts behind it are."""

    told: Any
    lengths: Sequence[int]


def noted(job: Callable[[], T]) -> Noted[T]:
    """Do a job and note where its time went: the processor's, not what others had of it."""
    spent_s = timing.begin()
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    made = job()
    cpu_s, all_s = time.process_time() - start_cpu_s, time.perf_counter() - start_s
    share = min(1.0, cpu_s / all_s)
    return made, {name: seconds * share for name, seconds in spent_s.items()}


def write(answer: "Noted[Any] | Exception") -> list[bytes]:
    """Spell what a job gave, or the error that it raised: the head, and the parts behind it."""
    told: dict[str, Any]
    parts: list[bytes] = []
    match answer:
        case Exception():
            told = {"error": type(answer).__name__, "text": str(answer)[:MAX_TEXT]}
        case (Ingested() as made, spent_s):
            told = {"made": [made.size, made.source_type, list(made.thumbnails)], "spent": spent_s}
            parts = [made.jpeg, made.sha256, made.placeholder, *made.thumbnails.values()]
        case (Header() as made, spent_s):
            told = {"made": [made.media_type, made.size, made.cost_bytes], "spent": spent_s}
        case (dict() as made, spent_s):
            told = {"made": list(made), "spent": spent_s}
            parts = [*made.values()]
        case (bytes() as made, spent_s):
            told, parts = {"made": None, "spent": spent_s}, [made]
        case (made, spent_s):
            told = {"made": made, "spent": spent_s}
    return [json.dumps({**told, "parts": [len(part) for part in parts]}).encode(), *parts]


def read_head(head: bytes, limit_bytes: int) -> Head:
    """Read the first part of a report, whose other parts may have so many bytes in all.

    Raises `ValueError` and its like where it is none.
    """
    told = json.loads(head)
    lengths = [_whole(length, limit_bytes) for length in told["parts"]]
    if sum(lengths) > limit_bytes:
        raise ValueError("too long")
    return Head(told, lengths)


def read(head: Head, parts: Sequence[bytes], job: "Callable[[], T]") -> "Noted[T] | Exception":
    """Read what a job gave, or the error that it raised. Raises as `read_head` does."""
    told, (reader, errors) = head.told, _promise(job)
    if "error" in told:
        return _error(told["error"], _printable(told["text"]), errors)
    return reader(told["made"], parts), {
        _name(name): _seconds(s) for name, s in told["spent"].items()
    }


def _promise(job: Callable[[], Any]) -> "_Promise":
    """Tell how to read what a job's function says that it gives, and what it may raise."""
    function = job.func if isinstance(job, partial) else job
    given = getattr(function, "__annotations__", {}).get("return")
    return _PROMISES.get(given, (_read_anything, _REFUSALS))


def _error(name: str, text: str, errors: Sequence[type[Exception]]) -> Exception:
    for kind in errors:
        if kind.__name__ == name:
            return kind(text)
    told = f"{_printable(name)}: {text}"
    if errors is _FAILURES:
        # It comes of our own picture, so it is our own mistake, and is to be seen as one.
        return RuntimeError(told)
    raise ValueError(told)


def _read_header(told: Any, parts: Sequence[bytes]) -> Header:
    media_type, size, cost_bytes = told
    return Header(_media_type(media_type), _size(size), _whole(cost_bytes, 1 << 62))


def _read_ingested(told: Any, parts: Sequence[bytes]) -> Ingested:
    size, source_type, rungs = told
    jpeg, sha256, placeholder, *bodies = parts
    if len(sha256) != 32 or len(placeholder) > 32:
        raise ValueError("no digest, or no placeholder")
    thumbnails = _read_rungs(rungs, bodies)
    return Ingested(jpeg, sha256, _size(size), _media_type(source_type), placeholder, thumbnails)


def _read_rungs(told: Any, parts: Sequence[bytes]) -> dict[Size, bytes]:
    return dict(zip(map(_size, told), parts, strict=True))


def _read_bytes(told: Any, parts: Sequence[bytes]) -> bytes:
    (body,) = parts
    return body


def _read_anything(told: Any, parts: Sequence[bytes]) -> Any:
    return told


_Promise = tuple[Callable[[Any, Sequence[bytes]], Any], Sequence[type[Exception]]]

_PROMISES: dict[Any, _Promise] = {
    Header: (_read_header, _REFUSALS),
    Ingested: (_read_ingested, _REFUSALS),
    dict[Size, bytes]: (_read_rungs, _FAILURES),
    bytes: (_read_bytes, _FAILURES),
}


def _size(told: Any) -> Size:
    width, height = told
    return Size(_whole(width, MAX_SIDE, least=1), _whole(height, MAX_SIDE, least=1))


def _whole(told: Any, most: int, least: int = 0) -> int:
    if type(told) is not int or not least <= told <= most:
        raise ValueError("no number, or out of bounds")
    return told


def _seconds(told: Any) -> float:
    if not isinstance(told, float) or not 0 <= told <= MAX_SECONDS:
        raise ValueError("no time")
    return told


def _name(told: str) -> str:
    """Take a name that is fit for `Server-Timing`."""
    if not (told.isascii() and told.isidentifier()):
        raise ValueError("no name")
    return told


def _media_type(told: Any) -> str:
    if told not in MEDIA_TYPES.values():
        raise ValueError("no type that is taken here")
    return str(told)


def _printable(told: Any) -> str:
    if not isinstance(told, str):
        raise TypeError("no text")
    return "".join(letter if letter.isprintable() else "?" for letter in told[:MAX_TEXT])
