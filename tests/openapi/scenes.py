"""Requests enough to get every answer that a service has."""

from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import UUID

from asgilook.http.urls import signed_path
from asgilook.ids import uuid7
from asgilook.image import Format, Size
from asgilook.signing import Signer
from asgilook.variant import Options
from tests import pictures
from tests.http.test_forms import TYPE, File, form
from tests.openapi.promises import Operation, operations
from tests.openapi.wire import Request, Wire

API_KEY, SIGNING_KEY = "a-key-of-the-suite", "ab" * 32
KEYED = {"authorization": f"Bearer {API_KEY}"}
JPEG = {"content-type": "image/jpeg", **KEYED}

PICTURE = pictures.upload((640, 480))
LARGE = pictures.upload((2000, 1500), quality=50)

View = dict[str, Any]

CONDITIONS: tuple[dict[str, str], ...] = (
    {},
    {"range": "bytes=0-0"},
    {"range": "bytes=99999999-"},
    {"if-none-match": "*"},
    {"if-match": '"another"'},
)


def upload(wire: Wire, body: bytes = PICTURE, **fields: str) -> View:
    """Add a picture; give its JSON."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    made = wire.ask("POST", "/images", {**JPEG, **named}, body)
    assert made.status == 201, made
    view: View = made.json
    return view


def signed(image_id: str, box: Size, kind: Format = Format.JPEG) -> str:
    """Sign a path."""
    return signed_path(Signer([SIGNING_KEY]), Options(), UUID(image_id), box, kind)


def paths(template: str, view: View) -> list[str]:
    """Fill a path of the document in: as it should be first, and then in every wrong way."""
    image_id, missing, misspelled = view["id"], str(uuid7()), view["id"].upper()
    match template:
        case "/images/{image_id}" | "/images/{image_id}.jpeg" | "/purges/{image_id}":
            return [template.replace("{image_id}", one) for one in (image_id, missing, misspelled)]
        case "/thumbnails/{image_id}/{size}.{format}":
            right = view["thumbnails"][0]
            return [
                right,
                *(right.replace(image_id, one) for one in (missing, misspelled)),
                f"/thumbnails/{image_id}/1x1.webp",
            ]
        case "/signed/{signature}/{options}/{image_id}/{box}.{format}":
            right = signed(image_id, Size(30, 20))
            return [
                right,
                right.replace("/signed/", "/signed/A"),
                right.replace("x20", "x020"),
                signed(missing, Size(30, 20)),
                signed(image_id, Size(5000, 1)),
            ]
        case "/images":
            return ["/images?limit=1", "/images?limit=0"]
    return [template]


def read(wire: Wire, view: View) -> None:
    """Ask for everything that there is, and for what is not, in every way."""
    for operation in operations():
        if operation.method in {"GET", "HEAD", "OPTIONS"}:
            for path in paths(operation.path, view):
                for fields in CONDITIONS:
                    wire.ask(operation.method, path, fields)


def delete(wire: Wire, view: View) -> None:
    """Delete an image, in the end."""
    path, *wrong = paths("/images/{image_id}", view)
    wire.ask("DELETE", path)
    for one in wrong:
        wire.ask("DELETE", one, KEYED)
    for fields in (CONDITIONS[-1], {}, {}):
        wire.ask("DELETE", path, {**KEYED, **fields})
    wire.ask("POST", "/images", {**JPEG, "idempotency-key": "brief"}, PICTURE)
    for operation in operations():
        if operation.method in {"GET", "HEAD", "OPTIONS"} and "{image_id}" in operation.path:
            wire.ask(operation.method, paths(operation.path, view)[0])


def write(wire: Wire) -> None:
    """Upload in every way that works or does not."""
    upload(wire, idempotency_key="one")
    good, bad = File(PICTURE), File(b"hello", "text/plain")
    for files in ((good, good), (good, bad)):
        wire.ask("POST", "/images", {**KEYED, "content-type": TYPE}, form(files))
    wire.ask("POST", "/images", {"content-type": "image/jpeg"}, PICTURE)
    wire.send(_endless())
    for fields, body in _bad_uploads():
        wire.ask("POST", "/images", {**JPEG, **fields}, body)


def _endless() -> Request:
    fields = "".join(f"{name}: {value}\r\n" for name, value in JPEG.items())
    head = f"POST /images HTTP/1.1\r\nHost: localhost\r\n{fields}Transfer-Encoding: chunked\r\n\r\n"
    piece = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    return Request("POST", "/images", {}, piece, head.encode())


def _bad_uploads() -> Iterator[tuple[dict[str, str], bytes]]:
    yield {}, b""
    yield {"content-type": "multipart/form-data"}, PICTURE
    yield {"content-digest": "sha-256=abc"}, PICTURE
    yield {"content-digest": "sha-256=:YWJj:"}, PICTURE
    yield {"idempotency-key": "two words"}, PICTURE
    yield {"idempotency-key": "one"}, LARGE
    yield {"content-length": "9999999"}, b""
    yield {"content-length": "100"}, PICTURE[:50]  # and no more
    yield {"content-type": "text/plain"}, PICTURE
    yield {}, b"hello"
    yield {}, PICTURE[: len(PICTURE) // 2]
    yield {}, pictures.bomb((5000, 5000))


def misspell(wire: Wire, view: View) -> None:
    """Send every operation heads that are too long, too slow, or no heads."""
    requests = [
        Request(operation.method, path, {}, head=head)
        for operation in operations()
        for path in paths(operation.path, view)[:1]
        for head in _bad_heads(operation, path)
    ]
    wire.send_at_once(requests)


def _bad_heads(operation: Operation, path: str) -> Iterator[bytes]:
    line = f"{operation.method} {path} HTTP/1.1\r\n".encode()
    yield line + b"Connection: close\r\n\r\n"
    yield line + b"Host: localhost\r\nno field\r\n\r\n"
    yield line + b"Host: localhost\r\n"  # and no more
    yield line + b"Host: localhost\r\nConnection: close\r\nExpect: a miracle\r\n\r\n"
    yield line + b"Host: localhost\r\nLong: " + bytes(40_000).replace(b"\0", b"x") + b"\r\n\r\n"
    yield line.replace(b"HTTP/1.1", b"HTTP/2.0") + b"Host: localhost\r\nConnection: close\r\n\r\n"


def overload(wire: Wire) -> None:
    """Ask for more at once than can wait."""
    views = [upload(wire, LARGE) for _ in range(24)]
    get = [
        path.replace(".jpeg", f".{kind}")
        for view in views
        for path in view["thumbnails"]
        for kind in ("webp", "avif")
    ]
    boxes = [signed(views[0]["id"], Size(1000 + i, 1000), Format.WEBP) for i in range(64)]
    avifs = [path for path in get if path.endswith(".avif")]
    wire.send_at_once(Request("GET", path, {}) for path in get)
    wire.send_at_once(Request("HEAD", path, {}) for path in avifs)
    wire.send_at_once(Request("GET", path, {}) for path in boxes)
    wire.send_at_once(Request("POST", "/images", JPEG, LARGE) for _ in range(64))


def overspend(wire: Wire) -> None:
    """Have more rendered than one client may, and then try everything that renders."""
    view = upload(wire)
    sides = count(1)
    while (
        wire.ask("GET", signed(view["id"], Size(640, 480 - next(sides)), Format.AVIF)).status != 429
    ):
        pass
    missing = view["thumbnails"][0].replace(".jpeg", ".avif"), signed(view["id"], Size(1, 1))
    for path in missing:
        wire.ask("GET", path)
        wire.ask("HEAD", path)
    wire.ask("POST", "/images", JPEG, PICTURE)


def from_afar(wire: Wire, view: View) -> None:
    """Try to write where only the machine itself may."""
    fields = {"x-forwarded-for": "192.0.2.1", "content-type": "image/jpeg"}
    wire.ask("POST", "/images", fields, PICTURE)
    wire.ask("DELETE", f"/images/{view['id']}", fields)


def delete_untold(wire: Wire, view: View) -> None:
    """Delete an image while nothing can be told of it, nor kept of what is to be told."""
    wire.ask("DELETE", f"/images/{view['id']}")
    for operation in operations():
        if operation.path == "/purges/{image_id}":
            for path in paths(operation.path, view):
                wire.ask(operation.method, path)


def without_a_store(wire: Wire, view: View) -> None:
    """Ask for everything while the pictures are out of reach."""
    wire.send_at_once(
        Request(operation.method, path, {"content-type": "image/jpeg"}, PICTURE)
        if operation.method == "POST"
        else Request(operation.method, path, {})
        for operation in operations()
        for path in paths(operation.path, view)[:1]
    )
