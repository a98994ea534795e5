"""Each kind of picture through the front door, and what came out held against the truth."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from statistics import mean
from typing import Any
from uuid import UUID

from PIL import Image

from asgilook.http.urls import signed_path
from asgilook.image import Format, Size
from asgilook.signing import Signer
from asgilook.variant import Fit, Options
from tests import pictures
from tests.fidelity.chart import ERROR_LIMIT, errors
from tests.fidelity.gossip import tells_anything
from tests.fidelity.kind import Kind
from tests.fidelity.transparency import BACKGROUND
from tests.http.client import Client, serving

_SIGNING_KEY = "5a" * 32


@dataclass(frozen=True)
class Outcome:
    """What became of a kind of picture."""

    kind: Kind
    is_size_right: bool
    is_upright: bool
    max_error: float
    mean_error: float
    thumbnail_error: float
    """The worst of all thumbnails' averages."""
    is_silent: bool

    @property
    def is_right(self) -> bool:
        is_close = max(self.mean_error, self.thumbnail_error) <= ERROR_LIMIT
        return self.is_size_right and self.is_upright and is_close and self.is_silent


async def judged(kinds: Iterable[Kind]) -> list[Outcome]:
    """Upload each kind, fetch all that is served of it, and judge."""
    async with serving(
        background="#" + bytes(BACKGROUND).hex(), signing_keys=(_SIGNING_KEY,)
    ) as client:
        return [await _judge(client, kind) for kind in kinds]


async def _judge(client: Client, kind: Kind) -> Outcome:
    view = await client.add(kind.upload, "application/octet-stream")
    original = (await client.get(view["image"])).content
    thumbnails = {path: (await client.get(path)).content for path in _paths(view)}
    shown = pictures.decode(original)
    sizes = {path: pictures.decode(body).size for path, body in thumbnails.items()}
    found = errors(shown, kind.truth)
    smaller = [mean(errors(pictures.decode(body), kind.truth)) for body in thumbnails.values()]
    return Outcome(
        kind,
        tuple(view["size"]) == shown.size == kind.truth.size
        and all(_size_in(path) == size for path, size in sizes.items()),
        _is_upright(shown, kind.truth),
        max(found),
        mean(found),
        max(smaller),
        not any(tells_anything(body) for body in [original, *thumbnails.values()]),
    )


def _paths(view: dict[str, Any]) -> list[str]:
    """Name the JPEG thumbnails, the smallest of the other formats, and one that is signed."""
    smallest = view["thumbnails"][-1].removesuffix("jpeg")
    signed = signed_path(
        Signer((_SIGNING_KEY,)),
        Options(Fit.CONTAIN),
        UUID(view["id"]),
        _smallest(view),
        Format.JPEG,
    )
    return [*view["thumbnails"], smallest + "webp", smallest + "avif", signed]


def _smallest(view: dict[str, Any]) -> Size:
    return _size_in(view["thumbnails"][-1])


def _size_in(path: str) -> Size:
    width, height = path.rpartition("/")[2].partition(".")[0].split("x")
    return Size(int(width), int(height))


def _is_upright(shown: Image.Image, truth: Image.Image) -> bool:
    """Tell whether no way of turning the picture brings it nearer to the truth."""
    turned = (shown.transpose(way) for way in Image.Transpose)
    others = [mean(errors(other, truth)) for other in turned if other.size == truth.size]
    return mean(errors(shown, truth)) <= min(others, default=inf) + 0.01
