"""`/thumbnails/{id}/{w}x{h}.{format}`: the sizes of an image's ladder."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from asgilook.cache.memory import MemoryCache
from tests import pictures
from tests.fakes import Broken, MemoryStore
from tests.http.client import Client, serving

FORMATS = ("jpeg", "webp", "avif")
MISSING = "018bcfe5-6800-7abc-8def-0123456789ab"


@pytest.fixture
async def view(client: Client, store: MemoryStore) -> AsyncIterator[dict[str, Any]]:
    yield await client.add(pictures.upload((640, 480)))
    assert store.open_streams == 0


def stem(view: dict[str, Any]) -> str:
    return f"/thumbnails/{view['id']}"


@pytest.mark.parametrize("extension", FORMATS)
async def test_a_thumbnail_has_the_size_and_format_that_its_path_says(
    client: Client, view: dict[str, Any], extension: str
) -> None:
    for size in ((320, 240), (160, 120)):
        path = "{}/{}x{}.{}".format(stem(view), *size, extension)
        for spelling in ("made", "kept"):
            result = await client.get(path)
            assert result.status_code == 200, spelling
            assert result.headers["content-type"] == f"image/{extension}"
            assert pictures.decode(result.content).size == size
            assert pictures.decode(result.content).format == extension.upper()


@pytest.mark.parametrize("extension", FORMATS)
async def test_all_that_is_listed_is_there(
    client: Client, view: dict[str, Any], extension: str
) -> None:
    for candidate in view["srcset"][extension].split(", "):
        path, width = candidate.split()
        result = await client.get(path)
        assert f"{pictures.decode(result.content).width}w" == width


async def test_a_picture_too_long_for_webp_comes_in_the_other_formats(client: Client) -> None:
    view = await client.add(pictures.encode(Image.new("L", (40_000, 300))))
    assert view["srcset"]["webp"] == f"{stem(view)}/10000x75.webp 10000w"
    answers = [await client.get(f"{stem(view)}/20000x150.{extension}") for extension in FORMATS]
    found = {answer.headers["content-type"]: answer.status_code for answer in answers}
    assert found == {"image/jpeg": 200, "image/avif": 200, "application/problem+json": 404}


async def test_after_an_upload_the_jpegs_are_there_already(
    client: Client, view: dict[str, Any]
) -> None:
    for path in view["thumbnails"]:
        assert (await client.get(path)).headers["x-asgilook-cache"] == "Hit"


async def test_what_nobody_asked_for_is_made_when_somebody_does(
    client: Client, view: dict[str, Any]
) -> None:
    for extension in ("webp", "avif"):
        path = f"{stem(view)}/320x240.{extension}"
        first, second = await client.get(path), await client.get(path)
        assert first.headers["x-asgilook-cache"] == "Miss"
        assert second.headers["x-asgilook-cache"] == "Hit"
        assert second.content == first.content
        assert second.headers["etag"] == first.headers["etag"]


async def test_a_thumbnail_is_the_same_whichever_process_makes_it(
    client: Client, store: MemoryStore, view: dict[str, Any]
) -> None:
    paths = [f"{stem(view)}/160x120.{extension}" for extension in FORMATS]
    async with serving(store) as another:
        for path in paths:
            mine, theirs = await client.get(path), await another.get(path)
            assert theirs.headers["x-asgilook-cache"] == "Miss"
            assert theirs.content == mine.content
            assert theirs.headers["etag"] == mine.headers["etag"]


async def test_a_thumbnail_in_the_cache_needs_no_store(store: MemoryStore) -> None:
    broken = Broken(store, on=None)
    async with serving(broken) as client:
        view = await client.add()
        for broken.on in ("open", "stat", "scan"):
            assert (await client.get(view["thumbnails"][0])).status_code == 200


@pytest.mark.parametrize(
    "size", ["640x480", "80x60", "320x241", "240x320", "1x1", "321x240", "99999x99999"]
)
async def test_a_size_off_the_ladder_is_not_found(
    client: Client, view: dict[str, Any], size: str
) -> None:
    for extension in FORMATS:
        result = await client.get(f"{stem(view)}/{size}.{extension}")
        assert (result.status_code, result.json["code"]) == (404, "size-not-found")


@pytest.mark.parametrize(
    "name",
    [
        "0320x240.jpeg",
        "320x0240.jpeg",
        "+320x240.jpeg",
        "320x+240.jpeg",
        "3_20x240.jpeg",
        "320X240.jpeg",
        "-320x240.jpeg",
        "320x240.0.jpeg",
        "%33%32%30x240.jpeg",
        "\u0663\u0662\u0660x240.jpeg",
        "320x240",
        "320x240.jpg",
        "320x240.JPEG",
        "320x240.png",
        "320x240.jpeg/",
        "/320x240.jpeg",
        "320x240.jpeg%00",
        "320x240.jpeg%0A",
        "%2e%2e/320x240.jpeg",
        "320x.jpeg",
        "x240.jpeg",
    ],
)
async def test_no_other_spelling_of_a_size_is_found(
    client: Client, view: dict[str, Any], name: str
) -> None:
    result = await client.get(f"{stem(view)}/{name}")
    assert (result.status_code, result.json["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    "spell",
    [
        str.upper,
        lambda text: text.replace("-", ""),
        lambda text: f"{{{text}}}",
        lambda text: f"urn:uuid:{text}",
        lambda text: f"{text}/",
        lambda text: f"/{text}",
        lambda text: text.replace("-", "%2D"),
        lambda text: text[:-1],
        lambda text: f"{text}0",
        lambda text: f"{text}%0A",
        lambda text: f"{text[:14]}4{text[15:]}",  # another version
    ],
    ids=range(11),
)
async def test_no_other_spelling_of_an_id_is_found(
    client: Client, view: dict[str, Any], spell: Any
) -> None:
    image_id = spell(view["id"])
    for path in (
        f"/images/{image_id}",
        f"/images/{image_id}.jpeg",
        f"/thumbnails/{image_id}/320x240.jpeg",
    ):
        result = await client.get(path)
        assert (result.status_code, result.json["code"]) == (404, "not-found"), path


async def test_a_thumbnail_of_a_missing_image_is_not_found(client: Client) -> None:
    for extension in FORMATS:
        result = await client.get(f"/thumbnails/{MISSING}/320x240.{extension}")
        assert (result.status_code, result.json["code"]) == (404, "image-not-found")


@pytest.mark.parametrize(
    ("size", "thumbnails"),
    [
        ((2560, 1600), ["1280x800", "640x400", "320x200", "160x100"]),
        ((129, 257), ["64x128"]),
        ((127, 500), ["33x128"]),
        ((100, 50), ["100x50"]),
        ((1, 1), ["1x1"]),
        ((3000, 2), ["128x1"]),
    ],
)
async def test_every_image_has_a_thumbnail(
    client: Client, size: tuple[int, int], thumbnails: list[str]
) -> None:
    view = await client.add(pictures.upload(size))
    assert view["thumbnails"] == [f"{stem(view)}/{name}.jpeg" for name in thumbnails]
    for name in thumbnails:
        for extension in FORMATS:
            thumbnail = await client.get(f"{stem(view)}/{name}.{extension}")
            assert "{}x{}".format(*pictures.decode(thumbnail.content).size) == name


async def test_the_smallest_thumbnail_is_a_setting(store: MemoryStore) -> None:
    async with serving(store, min_thumb_size=200) as client:
        view = await client.add(pictures.upload((640, 480)))
        assert view["thumbnails"] == [f"{stem(view)}/320x240.jpeg"]
        assert (await client.get(f"{stem(view)}/160x120.jpeg")).status_code == 404


@pytest.mark.parametrize("extension", ["jpeg", "avif"])
async def test_a_thumbnail_has_all_that_caches_need(
    client: Client, view: dict[str, Any], extension: str
) -> None:
    path = f"{stem(view)}/320x240.{extension}"
    for _ in ("made", "kept"):
        result = await client.get(path)
        assert result.headers["content-length"] == str(len(result.content))
        assert result.headers["cache-control"] == "max-age=31536000, immutable"
        assert "vary" not in result.headers
        etag, modified = result.headers["etag"], result.headers["last-modified"]
        assert (await client.get(path, if_none_match=f"W/{etag}")).status_code == 304
        assert (await client.get(path, if_modified_since=modified)).status_code == 304
        assert (await client.get(path, if_match='"x"')).status_code == 412
        part = await client.get(path, range="bytes=10-19", if_range=etag)
        assert (part.status_code, part.content) == (206, result.content[10:20])
        assert (await client.get(path, range="bytes=999999-")).status_code == 416
        head = await client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(result.content))


async def test_sizes_and_formats_have_tags_of_their_own(
    client: Client, view: dict[str, Any]
) -> None:
    paths = [f"{stem(view)}/{size}.{kind}" for size in ("320x240", "160x120") for kind in FORMATS]
    tags = {(await client.get(path)).headers["etag"] for path in (*paths, view["image"])}
    assert len(tags) == len(paths) + 1


async def test_without_room_in_the_cache_every_thumbnail_is_made(store: MemoryStore) -> None:
    async with serving(store, MemoryCache(0, 60)) as client:
        view = await client.add()
        first, second = [await client.get(view["thumbnails"][0]) for _ in range(2)]
        assert second.headers["x-asgilook-cache"] == "Miss"
        assert second.content == first.content
