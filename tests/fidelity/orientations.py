"""Pictures that lie in the file in each of EXIF's eight ways."""

from collections.abc import Iterator
from typing import Any

from PIL import Image

from tests import pictures
from tests.fidelity.chart import CHART
from tests.fidelity.containers import chunk, with_chunks, with_segments
from tests.fidelity.kind import Kind

FINE: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "HEIF": {"quality": 95, "chroma": 444},
}
"""How each format keeps a picture best."""

_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF tiff:Orientation="6"/></x:xmpmeta>'


def kinds() -> Iterator[Kind]:
    for kind, options in FINE.items():
        for orientation in range(1, 9):
            upload = pictures.oriented(CHART, orientation, kind, **options)
            yield Kind("orientation", f"{kind}, EXIF orientation {orientation}", upload, CHART)
    yield from _special()


def _special() -> Iterator[Kind]:
    for orientation in (0, 9):
        upload = pictures.oriented(CHART, orientation, "JPEG", **FINE["JPEG"])
        yield Kind(
            "orientation", f"JPEG, EXIF orientation {orientation}, which is none", upload, CHART
        )
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        upload = pictures.encode(CHART, kind, xmp=_XMP, **FINE[kind])
        yield Kind("orientation", f"{kind}, turned by XMP only, as no browser does", upload, CHART)
    exif = _exif(6)
    late = pictures.encode(CHART.transpose(Image.Transpose.ROTATE_90), "PNG")
    yield Kind(
        "orientation",
        "PNG, EXIF behind the pixels",
        late[:-12] + chunk(b"eXIf", exif) + late[-12:],
        CHART,
    )
    yield Kind(
        "orientation",
        "PNG, EXIF as text, as no browser reads it",
        with_chunks(pictures.encode(CHART, "PNG"), _as_text(exif)),
        CHART,
    )
    lying = pictures.encode(CHART.transpose(Image.Transpose.ROTATE_90), "JPEG", **FINE["JPEG"])
    behind = with_segments(
        lying, (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _XMP), (0xE1, b"Exif\0\0" + exif)
    )
    yield Kind("orientation", "JPEG, EXIF behind XMP", behind, CHART)


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")


def _as_text(exif: bytes) -> bytes:
    words = f"\nexif\n{len(exif):8}\n{exif.hex()}\n"
    return chunk(b"tEXt", b"Raw profile type exif\0" + words.encode())
