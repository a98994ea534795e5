"""`/images/{id}.jpeg`: the JPEG, whole or in part, under conditions."""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from asgilook.image import picture_key
from tests import pictures
from tests.fakes import Broken, MemoryStore
from tests.http.client import Client, serving

MISSING = "/images/018bcfe5-6800-7abc-8def-0123456789ab.jpeg"
LONG_AGO = "Sun, 06 Nov 1994 08:49:37 GMT"
AN_HOUR_MS = 3_600_000
OF_THIS_REQUEST = {"server-timing", "x-request-id"}
KEPT_ON_304 = ("etag", "last-modified", "cache-control")


class Original:
    """An original, with what is known of it."""

    def __init__(self, client: Client, path: str, body: bytes, headers: dict[str, str]) -> None:
        self.client = client
        self.path = path
        self.body = body
        self.etag = headers["etag"]
        self.modified = headers["last-modified"]

    async def get(self, **headers: str) -> Any:
        return await self.client.get(self.path, **headers)

    async def head(self, **headers: str) -> Any:
        return await self.client.head(self.path, **headers)


@pytest.fixture
async def original(client: Client, store: MemoryStore) -> AsyncIterator[Original]:
    # Of several pieces, so that it takes more than one turn to send.
    view = await client.add(pictures.upload((800, 600), quality=95))
    whole = await client.get(view["image"])
    assert len(whole.content) > 2 * 65_536
    yield Original(client, view["image"], whole.content, dict(whole.headers))
    assert store.open_streams == 0


async def test_an_original_comes_whole_with_all_that_caches_need(original: Original) -> None:
    result = await original.get()
    assert result.status_code == 200
    assert result.headers["content-type"] == "image/jpeg"
    assert result.headers["content-length"] == str(len(result.content))
    assert result.headers["cache-control"] == "max-age=31536000, immutable"
    assert result.headers["accept-ranges"] == "bytes"
    assert result.headers["x-content-type-options"] == "nosniff"
    assert "vary" not in result.headers
    assert "set-cookie" not in result.headers
    digest = base64.b64encode(hashlib.sha256(result.content).digest()).decode()
    assert result.headers["repr-digest"] == f"sha-256=:{digest}:"


async def test_the_same_original_has_the_same_tag_and_another_has_another(
    original: Original,
) -> None:
    assert (await original.get()).headers["etag"] == original.etag
    assert original.etag.startswith('"')
    another = await original.client.add(pictures.upload((200, 100)))
    assert (await original.client.get(another["image"])).headers["etag"] != original.etag


async def test_query_cookies_and_keys_change_nothing(original: Original) -> None:
    plain = await original.get()
    path, headers = f"{original.path}?cb=1", {"cookie": "a=b", "authorization": "Bearer x"}
    decorated = await original.client.get(path, **headers, accept="image/avif")
    assert decorated.content == plain.content
    assert set(decorated.headers) == set(plain.headers)
    assert decorated.headers["etag"] == plain.headers["etag"]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("0-0", 0, 0),
        ("0-99", 0, 99),
        ("70000-140000", 70_000, 140_000),
        ("100000-", 100_000, None),
        ("-100", -100, None),
        ("-99999999", 0, None),
        ("100-99999999", 100, None),
    ],
)
async def test_a_range_is_answered_with_just_these_bytes(
    original: Original, asked: str, first: int, last: int | None
) -> None:
    result = await original.get(range=f"bytes={asked}")
    total = len(original.body)
    start = first % total
    end = total - 1 if last is None else last
    assert result.status_code == 206
    assert result.content == original.body[start : end + 1]
    assert result.headers["content-range"] == f"bytes {start}-{end}/{total}"
    assert result.headers["content-length"] == str(len(result.content))
    assert result.headers["content-type"] == "image/jpeg"
    assert [result.headers[name] for name in KEPT_ON_304[:2]] == [original.etag, original.modified]


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
async def test_a_range_outside_is_refused_with_the_size(original: Original, asked: str) -> None:
    for conditions in ({}, {"if_none_match": '"x"'}):
        result = await original.get(range=asked, **conditions)
        assert (result.status_code, result.json["code"]) == (416, "range-not-satisfiable")
        assert result.headers["content-range"] == f"bytes */{len(original.body)}"
        assert result.headers["cache-control"] == "no-store"
        assert not {"etag", "last-modified", "repr-digest", "content-disposition"} & set(
            result.headers
        )


@pytest.mark.parametrize(
    "asked", ["lines=1-2", "bytes=a-b", "bytes=9-8", "bytes=0-0,2-3", "bytes=+1-2", "bytes="]
)
async def test_a_range_that_is_not_understood_is_ignored(original: Original, asked: str) -> None:
    result = await original.get(range=asked)
    assert (result.status_code, result.content) == (200, original.body)


@pytest.mark.parametrize("spelling", ["{}", "W/{}", '"x", {}', "*"])
async def test_what_the_client_has_already_is_not_sent_again(
    original: Original, spelling: str
) -> None:
    for ask in (original.get, original.head):
        result = await ask(if_none_match=spelling.format(original.etag))
        assert (result.status_code, result.content) == (304, b"")
        assert result.headers["etag"] == original.etag
        assert set(KEPT_ON_304) <= set(result.headers)


async def test_a_date_tells_what_the_client_has_too(original: Original) -> None:
    assert (await original.get(if_modified_since=original.modified)).status_code == 304
    assert (await original.get(if_modified_since=LONG_AGO)).content == original.body
    assert (await original.get(if_modified_since="junk")).content == original.body
    another = await original.get(if_none_match='"x"', if_modified_since=original.modified)
    assert another.content == original.body


@pytest.mark.parametrize(
    "conditions",
    [{"if_match": '"x"'}, {"if_match": "W/{}"}, {"if_unmodified_since": LONG_AGO}],
    ids=str,
)
async def test_a_condition_that_fails_is_told(
    original: Original, conditions: dict[str, str]
) -> None:
    headers = {name: text.format(original.etag) for name, text in conditions.items()}
    result = await original.get(**headers)
    assert (result.status_code, result.json["code"]) == (412, "precondition-failed")
    assert result.headers["cache-control"] == "no-store"
    assert "etag" not in result.headers


async def test_a_condition_that_holds_changes_nothing(original: Original) -> None:
    for conditions in ({"if_match": original.etag}, {"if_unmodified_since": original.modified}):
        result = await original.get(**conditions)
        assert (result.status_code, result.content) == (200, original.body)


async def test_a_range_comes_only_while_the_original_is_the_same(original: Original) -> None:
    for validator in (original.etag, original.modified):
        part = await original.get(range="bytes=0-9", if_range=validator)
        assert (part.status_code, part.content) == (206, original.body[:10])
    for validator in ('"x"', f"W/{original.etag}", LONG_AGO, "junk"):
        for asked in ("bytes=0-9", "bytes=99999999-"):
            whole = await original.get(range=asked, if_range=validator)
            assert (whole.status_code, whole.content) == (200, original.body)


async def test_head_has_the_same_fields_and_no_body(original: Original) -> None:
    for headers in ({}, {"range": "bytes=0-9"}, {"if_match": original.etag}):
        head, get = await original.head(**headers), await original.get()
        assert (head.status_code, head.content) == (200, b"")
        assert {
            name: text for name, text in head.headers.items() if name not in OF_THIS_REQUEST
        } == {name: text for name, text in get.headers.items() if name not in OF_THIS_REQUEST}


async def test_neither_head_nor_304_opens_the_original(
    original: Original, store: MemoryStore
) -> None:
    async with serving(Broken(store, on="open")) as client:
        assert (await client.head(original.path)).status_code == 200
        assert (await client.get(original.path, if_none_match=original.etag)).status_code == 304
        assert (await client.get(original.path)).status_code == 503


@pytest.mark.parametrize(
    "headers", [{}, {"if_none_match": "*"}, {"range": "bytes=0-9"}, {"if_match": '"x"'}], ids=str
)
async def test_conditions_on_a_missing_original_do_not_make_it_there(
    client: Client, headers: dict[str, str]
) -> None:
    result = await client.get(MISSING, **headers)
    assert (result.status_code, result.json["code"]) == (404, "image-not-found")
    assert result.headers["cache-control"] == "max-age=5"
    assert (await client.head(MISSING, **headers)).status_code == 404


async def test_an_object_that_somebody_else_put_there_is_not_found(
    client: Client, store: MemoryStore
) -> None:
    await store.put(MISSING[1:], b"\xff\xd8", content_type="image/jpeg", metadata={"width": "1"})
    assert (await client.get(MISSING)).status_code == 404
    assert (await client.head(MISSING)).status_code == 404
    assert store.open_streams == 0


async def test_an_original_that_breaks_off_is_never_complete(
    original: Original, store: MemoryStore
) -> None:
    async with serving(Broken(store, on="read")) as client:
        result = await client.get(original.path)
        assert result.headers["content-length"] == str(len(original.body))
        assert len(result.content) < len(original.body)


async def test_an_image_from_a_machine_whose_clock_is_ahead_is_not_younger_than_the_answer(
    client: Client, store: MemoryStore
) -> None:
    made = UUID((await client.add(pictures.upload((320, 240))))["id"])
    ahead = UUID(int=made.int + (AN_HOUR_MS << 80))
    store.objects[picture_key(ahead)] = store.objects[picture_key(made)]
    for path in (f"/images/{ahead}.jpeg", f"/thumbnails/{ahead}/160x120.jpeg"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert "last-modified" not in answer.headers
        again = await client.get(path, if_none_match=answer.headers["etag"])
        assert (again.status_code, "last-modified" in again.headers) == (304, False)
