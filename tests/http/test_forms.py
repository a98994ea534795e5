"""`POST /images` with a form, as a page sends it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest
from falcon.testing import Result

from asgilook.errors import StoreUnavailable
from asgilook.http.uploads import MAX_FILES, MAX_PARTS
from asgilook.store import ObjectInfo
from tests import pictures
from tests.fakes import MemoryStore
from tests.http.client import Client, serving

BOUNDARY = "a-boundary"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
END = f"--{BOUNDARY}--\r\n".encode()


class File(NamedTuple):
    """A file of a form."""

    body: bytes
    kind: str | None = "image/jpeg"
    disposition: str = 'form-data; name="picture"; filename="picture"'

    def spelled(self) -> bytes:
        kind = f"Content-Type: {self.kind}\r\n" if self.kind else ""
        head = f"Content-Disposition: {self.disposition}\r\n{kind}\r\n"
        return f"--{BOUNDARY}\r\n{head}".encode() + self.body + b"\r\n"


FIELD = File(b"a field that is no file", "text/plain", 'form-data; name="title"')


def form(files: Sequence[File]) -> bytes:
    """Spell a form (RFC 7578)."""
    return b"".join(file.spelled() for file in files) + END


async def send(client: Client, *files: File) -> Result:
    return await client.post(form(files), TYPE)


async def test_one_file_is_answered_as_if_it_had_come_alone(client: Client) -> None:
    made = await send(client, FIELD, File(pictures.upload((320, 200))))
    assert made.status_code == 201
    assert made.headers["location"] == made.json["image"]
    assert made.json["size"] == [320, 200]
    assert (await client.get("/images")).json == [made.json]


async def test_a_file_need_not_say_its_type(client: Client) -> None:
    made = await send(client, File(pictures.upload((320, 200)), kind=None))
    assert (made.status_code, made.json["size"]) == (201, [320, 200])


async def test_several_files_are_answered_in_their_order(client: Client) -> None:
    widths = [300, 100, 200]
    made = await send(client, *(File(pictures.upload((width, 100))) for width in widths))
    assert made.status_code == 201
    assert [result["image"]["size"][0] for result in made.json] == widths
    assert {result["image"]["id"] for result in made.json} == set(await client.listed())
    assert "location" not in made.headers


async def test_good_and_bad_files_are_answered_one_by_one(client: Client) -> None:
    made = await send(
        client,
        File(b"hello", "text/plain"),
        File(pictures.upload((300, 100))),
        File(b"hello"),
        File(b""),
        File(pictures.bomb((8000, 8000)), "image/png"),
        File(pictures.upload((200, 100), "PNG"), "image/png"),
    )
    assert made.status_code == 207
    told = [
        result["image"]["size"] if "image" in result else result["problem"]["code"]
        for result in made.json
    ]
    assert told == [
        "type-not-supported",
        [300, 100],
        "type-not-supported",
        "upload-empty",
        "picture-too-large",
        [200, 100],
    ]
    assert all(len(result) == 1 for result in made.json)
    assert len(await client.listed()) == 2


async def test_a_problem_in_a_list_is_a_whole_problem(client: Client) -> None:
    made = await send(client, File(pictures.upload()), File(b"hello"))
    problem = made.json[1]["problem"]
    assert problem == (await client.post(b"hello", "image/jpeg")).json


async def test_one_bad_file_is_refused_as_if_it_had_come_alone(
    client: Client, store: MemoryStore
) -> None:
    result = await send(client, File(pictures.BROKEN["half a PNG"](), "image/png"))
    assert (result.status_code, result.json["code"]) == (422, "picture-broken")
    assert result.headers["content-type"] == "application/problem+json"
    assert store.objects == {}


async def test_bad_files_alone_are_answered_one_by_one_too(
    client: Client, store: MemoryStore
) -> None:
    result = await send(client, File(b"hello"), File(b""))
    assert result.status_code == 207
    codes = [told["problem"]["code"] for told in result.json]
    assert codes == ["type-not-supported", "upload-empty"]
    assert store.objects == {}


class Small(MemoryStore):
    """A store that has room for one picture."""

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        if key.startswith("images/") and any(each.startswith("images/") for each in self.objects):
            raise StoreUnavailable("full")
        return await super().put(key, body, content_type=content_type, metadata=metadata)


async def test_a_store_that_fails_in_the_middle_is_told_of_beside_what_is_stored() -> None:
    async with serving(Small()) as client:
        made = await send(client, File(b""), *[File(pictures.upload())] * 3)
        assert made.status_code == 207
        assert [made.json[1]["image"]["id"]] == await client.listed()
        codes = [told["problem"]["code"] for told in made.json if "problem" in told]
        assert codes == ["upload-empty", "store-unavailable", "store-unavailable"]
        nothing = await send(client, *[File(pictures.upload())] * 2)
        assert (nothing.status_code, nothing.json["code"]) == (503, "store-unavailable")


async def test_who_can_repeat_a_form_is_told_to_when_the_store_fails_in_the_middle() -> None:
    body = form([File(pictures.upload())] * 2)
    async with serving(Small()) as client:
        made = await client.post(body, TYPE, idempotency_key="one")
        assert (made.status_code, made.json["code"]) == (503, "store-unavailable")
        assert made.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    "files",
    [(), (FIELD,), (File(b"", disposition='form-data; name="picture"; filename=""'),)],
    ids=["nothing", "a field", "a file input that was left empty"],
)
async def test_a_form_without_a_file_is_refused(client: Client, files: Sequence[File]) -> None:
    result = await send(client, *files)
    assert (result.status_code, result.json["code"]) == (400, "upload-empty")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (form([File(pictures.upload())]), "multipart/form-data"),
        (form([File(pictures.upload())]), "multipart/form-data; boundary=another"),
        (form([File(pictures.upload())])[: -len(END)], TYPE),
        (b"hello", TYPE),
        (form([File(pictures.upload())] * (MAX_FILES + 1)), TYPE),
        (form([FIELD] * (MAX_PARTS + 1)), TYPE),
        (form([File(pictures.upload())]).replace(b'="picture"', b'="Stra\xdfe"'), TYPE),
        (form([File(pictures.upload())]).replace(b"/jpeg", b"/jp\xe9g"), TYPE),
    ],
    ids=[
        "no boundary",
        "another boundary",
        "no end",
        "no form",
        "too many files",
        "too many fields",
        "a name that is not UTF-8",
        "a type that is not ASCII",
    ],
)
async def test_a_malformed_form_is_refused_whole(
    client: Client, store: MemoryStore, body: bytes, content_type: str
) -> None:
    result = await client.post(body, content_type)
    assert (result.status_code, result.json["code"]) == (400, "form-malformed")
    assert store.objects == {}


async def test_fields_that_are_no_files_take_no_place_of_a_file(client: Client) -> None:
    made = await send(client, FIELD, *[File(pictures.upload((64, 64)))] * MAX_FILES, FIELD)
    assert made.status_code == 201
    assert len(made.json) == MAX_FILES


async def test_a_form_that_is_too_long_in_all_is_refused_whole(store: MemoryStore) -> None:
    files = [File(pictures.upload())] * 2
    async with serving(store, max_upload_bytes=len(form(files)) - 1) as client:
        result = await send(client, *files)
        assert (result.status_code, result.json["code"]) == (413, "upload-too-large")
        assert store.objects == {}


async def test_a_form_shorter_than_announced_is_refused_whole(
    client: Client, store: MemoryStore
) -> None:
    whole = form([File(pictures.upload())])
    fields = {"host": "127.0.0.1", "content-type": TYPE, "content-length": str(len(whole) + 1)}
    raw = [(name.encode(), value.encode()) for name, value in fields.items()]
    result = await client.request("POST", "/images", body=whole, extras={"headers": raw})
    assert (result.status_code, result.json["code"]) == (400, "upload-incomplete")
    assert store.objects == {}
