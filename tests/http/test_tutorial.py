"""The transcript of the tutorial that this service grew out of, and what it left to its reader."""

from tests import pictures
from tests.http.client import Client


async def test_a_png_of_462_pixels_has_thumbnails_of_231_and_115(client: Client) -> None:
    view = await client.add(pictures.upload((462, 462), "PNG"), "image/png")
    assert view["image"] == f"/images/{view['id']}.jpeg"
    assert view["size"] == [462, 462]
    assert view["thumbnails"] == [
        f"/thumbnails/{view['id']}/231x231.jpeg",
        f"/thumbnails/{view['id']}/115x115.jpeg",
    ]
    for path, side in zip(view["thumbnails"], (231, 115), strict=True):
        thumbnail = await client.get(path)
        assert pictures.decode(thumbnail.content).size == (side, side)


async def test_the_second_request_for_a_thumbnail_is_a_hit(client: Client) -> None:
    view = await client.add(pictures.upload((462, 462), "PNG"), "image/png")
    path = view["thumbnails"][0].replace("jpeg", "webp")
    first, second = await client.get(path), await client.get(path)
    assert first.headers["x-asgilook-cache"] == "Miss"
    assert second.headers["x-asgilook-cache"] == "Hit"
    assert second.content == first.content


async def test_the_second_request_for_an_original_has_its_body_too(client: Client) -> None:
    view = await client.add()
    first, second = await client.get(view["image"]), await client.get(view["image"])
    assert first.status_code == second.status_code == 200
    assert len(first.content) == view["bytes"]
    assert second.content == first.content
