"""A store that fails, at each step of everything that needs it."""

import pytest
from falcon.testing import Result

from asgilook.errors import StoreBroken, StoreRefused, StoreTimeout, StoreUnavailable
from asgilook.image import picture_key
from tests import pictures
from tests.fakes import Broken, Call, MemoryStore, Unheard
from tests.http.client import Client, serving

PRIVATE = ("told to fail", "images/", "index/")
"""What the store's own message says."""


def check_trouble(result: Result) -> None:
    """Look whether a client is told to come again, and nothing else."""
    assert (result.status_code, result.json["code"]) == (503, "store-unavailable")
    assert result.headers["content-type"] == "application/problem+json"
    assert result.headers["retry-after"] == "5"
    assert result.headers["cache-control"] == "no-store"
    assert not [word for word in PRIVATE if word in result.text]


@pytest.mark.parametrize("prefix", ["images/", "index/"])
async def test_an_upload_that_cannot_be_kept_leaves_nothing(
    store: MemoryStore, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken(store, on="put", prefix=prefix)
    async with serving(broken) as client:
        check_trouble(await client.post(pictures.upload(), "image/jpeg"))
        assert store.objects == {}
        assert f"told to fail: put {prefix}" in caplog.text
        broken.on = None
        view = await client.add()
        assert await client.listed() == [view["id"]]


async def test_a_record_is_not_listed_whose_writing_got_no_answer(store: MemoryStore) -> None:
    async with serving(Unheard(store, on="put", prefix="index/")) as client:
        check_trouble(await client.post(pictures.upload(), "image/jpeg"))
        assert await client.listed() == []
    assert store.objects == {}


async def test_what_is_half_kept_is_not_listed(store: MemoryStore) -> None:
    class WithoutWayBack(Broken):
        """Takes pictures but no records, and cannot take a picture back either."""

        async def delete(self, key: str) -> None:
            self._fail("put", "index/")

    async with serving(WithoutWayBack(store, on="put", prefix="index/")) as client:
        check_trouble(await client.post(pictures.upload(), "image/jpeg"))
        assert await client.listed() == []
    [left] = store.objects
    assert left.startswith("images/")


@pytest.mark.parametrize(
    ("on", "path"),
    [
        ("scan", "/images"),
        ("stat", "/images/{id}"),
        ("open", "/images/{id}.jpeg"),
        ("open", "/thumbnails/{id}/320x240.webp"),
        ("read", "/thumbnails/{id}/320x240.avif"),
    ],
)
async def test_what_cannot_be_read_is_answered_with_come_again(
    store: MemoryStore, on: Call, path: str
) -> None:
    broken = Broken(store, on=None)
    async with serving(broken) as client:
        view = await client.add()
        path = path.format(id=view["id"])
        broken.on = on
        check_trouble(await client.get(path))
        broken.on = None
        assert (await client.get(path)).status_code == 200
    assert store.open_streams == 0


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (StoreTimeout, 504, "store-timeout"),
        (StoreRefused, 502, "store-refused"),
        (StoreBroken, 502, "store-broken"),
    ],
)
async def test_each_kind_of_trouble_has_a_status(
    store: MemoryStore, kind: type[StoreUnavailable], status: int, code: str
) -> None:
    async with serving(Broken(store, on="scan", kind=kind)) as client:
        result = await client.get("/images")
    assert (result.status_code, result.json["code"]) == (status, code)
    assert result.headers["retry-after"] == "5"
    assert result.headers["cache-control"] == "no-store"


async def test_a_condition_that_cannot_be_judged_is_answered_with_come_again(
    store: MemoryStore,
) -> None:
    broken = Broken(store, on=None)
    async with serving(broken) as client:
        view = await client.add()
        broken.on = "stat"
        check_trouble(await client.get(view["image"], if_none_match="*"))


@pytest.mark.parametrize(
    ("on", "prefix"), [("stat", "images/"), ("delete", "index/"), ("delete", "images/")]
)
async def test_a_deletion_that_fails_is_told(store: MemoryStore, on: Call, prefix: str) -> None:
    broken = Broken(store, on=None)
    async with serving(broken) as client:
        view = await client.add()
        broken.on, broken.prefix = on, prefix
        check_trouble(await client.delete(f"/images/{view['id']}"))
        # Whatever is listed can be fetched, in every state between.
        for image_id in await client.listed():
            assert (await client.get(f"/images/{image_id}.jpeg")).status_code == 200


async def test_an_original_that_does_not_decode_is_trouble_of_the_store(
    client: Client, store: MemoryStore
) -> None:
    view = await client.add()
    key = picture_key(view["id"])
    info, body = store.objects[key]
    store.objects[key] = info, body[: len(body) // 2].ljust(len(body), b"\0")
    check_trouble(await client.get(view["thumbnails"][0].replace("jpeg", "webp")))
