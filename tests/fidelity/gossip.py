"""Pictures that tell more than what they show, and pictures that are something else as well."""

import struct
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZipFile
from zlib import compress

from PIL import Image

from tests import pictures
from tests.fidelity.chart import CHART
from tests.fidelity.containers import chunk, tiff, with_chunks, with_segments
from tests.fidelity.kind import Kind
from tests.fidelity.orientations import FINE
from tests.fidelity.profiles import matrix_profile
from tests.fidelity.spaces import SRGB

SECRET = pictures.SECRET.encode()
_PAGE = b"<html><script>alert('" + SECRET + b"')</script></html>"

_QUIET_MARKERS = {*range(0xC0, 0xE1)} - {0xD8, 0xD9}
"""Of a JPEG: tables, frames, scans, and JFIF's own segment (ITU-T T.81, table B.1)."""

_QUIET_BOXES = {b"ftyp", b"meta", b"mdat"}


def kinds() -> Iterator[Kind]:
    yield from _words()
    yield from _broken_words()
    yield from _polyglots()


def tells_anything(body: bytes) -> bool:
    """Tell whether a picture that is served holds the secret, or anything beside its pixels."""
    return SECRET in body or not _is_quiet(body)


def _is_quiet(body: bytes) -> bool:
    if body.startswith(b"\xff\xd8"):
        return set(_markers(body)) <= _QUIET_MARKERS and body.endswith(b"\xff\xd9")
    if body.startswith(b"RIFF"):
        # A simple file is one chunk of pixels, and that is all (RFC 9649, section 2.5).
        end = 20 + int.from_bytes(body[16:20], "little")
        return body[12:16] == b"VP8 " and len(body) - end <= 1
    return set(_boxes(body)) <= _QUIET_BOXES and not any(
        word in body for word in (b"Exif", b"mime", b"prof")
    )


def _markers(jpeg: bytes) -> Iterator[int]:
    place = 2
    while jpeg[place] == 0xFF and jpeg[place + 1] != 0xDA:
        yield jpeg[place + 1]
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4])
    # JFIF's own segment has room for a thumbnail.
    if jpeg[2:4] != b"\xff\xe0" or int.from_bytes(jpeg[4:6]) != 16:
        yield 0xFE


def _boxes(avif: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(avif):
        yield avif[place + 4 : place + 8]
        place += int.from_bytes(avif[place : place + 4])


def _kind(name: str, upload: bytes) -> Kind:
    assert SECRET in upload or "packed" in name, name
    return Kind("metadata", name, upload, CHART)


def _exif() -> bytes:
    """Make EXIF with words, a place, a maker's note and a thumbnail that tells as well."""
    exif = Image.Exif()
    exif[0x010E] = pictures.SECRET
    exif.get_ifd(0x8825)[0x001C] = pictures.SECRET
    exif.get_ifd(0x8769)[0x927C] = b"MakerNote" + SECRET
    thumbnail = pictures.encode(CHART.resize((32, 24)), "JPEG", comment=SECRET)
    return exif.tobytes() + thumbnail


def _words() -> Iterator[Kind]:
    xmp = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    everything = {"exif": _exif(), "xmp": xmp, "icc_profile": matrix_profile(_LOUD)}
    for kind, options in FINE.items():
        if kind != "TIFF":
            upload = pictures.encode(CHART, kind, **options, **everything)
            yield _kind(f"{kind}, EXIF, GPS, XMP and a profile", upload)
    yield _kind(
        "TIFF, description and XMP",
        pictures.encode(CHART, "TIFF", description=pictures.SECRET, xmp=xmp),
    )
    yield _kind("GIF, comment", pictures.encode(CHART.quantize(64), "GIF", comment=SECRET))
    text = chunk(b"tEXt", b"Comment\0" + SECRET), chunk(b"iTXt", b"Comment\0\0\0\0\0" + SECRET)
    packed = chunk(b"zTXt", b"Comment\0\0" + compress(SECRET))
    png = pictures.encode(CHART, "PNG")
    yield _kind("PNG, text, plain and packed", with_chunks(png, *text, packed))
    yield _kind("PNG, a chunk that nobody knows", with_chunks(png, chunk(b"loUd", SECRET)))
    jpeg = pictures.encode(CHART, "JPEG", **FINE["JPEG"])
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(SECRET)) + SECRET
    for name, segment in {
        "comment": (0xFE, SECRET),
        "IPTC": (0xED, iptc),
        "thumbnail of JFIF": (0xE0, b"JFXX\0\x10" + SECRET),
        "every other segment": (0xEC, SECRET),
    }.items():
        yield _kind(f"JPEG, {name}", with_segments(jpeg, segment))


_LOUD = SRGB


def _broken_words() -> Iterator[Kind]:
    jpeg = pictures.encode(CHART, "JPEG", **FINE["JPEG"])
    for name, segment in {
        "EXIF": (0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff" + SECRET),
        "EXIF in a circle": (0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0\x08\0\0\0" + SECRET),
        "ICC": (0xE2, b"ICC_PROFILE\0\x05\x02" + SECRET),
        "XMP": (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x" + SECRET),
        "IPTC": (0xED, b"Photoshop 3.0\x008BIM\xff\xff\xff\xff\xff\xff" + SECRET),
        "JFIF": (0xE0, b"JFIF\0" + SECRET),
        "MPF": (0xE2, b"MPF\0MM\0*\0\0\0\x08\xff\xff" + SECRET),
        "Adobe": (0xEE, b"Ado" + SECRET),
    }.items():
        yield _kind(f"JPEG, broken {name}", with_segments(jpeg, segment))
    png = pictures.encode(CHART, "PNG")
    spoilt = chunk(b"tEXt", b"Comment\0" + SECRET)[:-4] + b"oops"
    for name, piece in {
        "text": chunk(b"zTXt", b"Comment\0\7" + SECRET),
        "sum": spoilt,
        "EXIF": chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff" + SECRET),
        "gamma": chunk(b"gAMA", b"") + chunk(b"cHRM", b"1") + spoilt,
        "animation": chunk(b"acTL", b"1") + chunk(b"fcTL", SECRET),
    }.items():
        yield _kind(f"PNG, broken {name}", with_chunks(png, piece))
    webp = pictures.encode(
        CHART, "WEBP", lossless=True, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + SECRET
    )
    yield _kind("WEBP, broken EXIF", webp)
    yield _kind(
        "TIFF, broken GPS", tiff(CHART.size, [CHART.tobytes() + SECRET], [8] * 3, {34853: [9]})
    )


def _polyglots() -> Iterator[Kind]:
    """Files that other programs take for something else."""
    zipped = BytesIO()
    with ZipFile(zipped, "w") as archive:
        archive.writestr("readme.txt", SECRET)
    for kind, options in FINE.items():
        picture = pictures.encode(CHART, kind, **options)
        yield _kind(f"{kind} and ZIP", picture + zipped.getvalue())
        yield _kind(f"{kind} and page", picture + _PAGE)
    gif = pictures.encode(CHART.quantize(64), "GIF")
    yield _kind("GIF and script", gif + b"*/=1;alert('" + SECRET + b"')")
    yield _kind(
        "JPEG and page, up front",
        with_segments(pictures.encode(CHART, "JPEG", **FINE["JPEG"]), (0xFE, _PAGE)),
    )
    yield _kind(
        "PNG and page, up front", with_chunks(pictures.encode(CHART, "PNG"), chunk(b"tEXt", _PAGE))
    )
    bmp = pictures.encode(CHART, "BMP")
    yield _kind("BMP and page", bmp + _PAGE)
