"""What a store in a folder promises beyond every store's: what lies there, whatever happened."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asgilook.byte_range import ByteRange
from asgilook.errors import ObjectExists, ObjectNotFound, StoreBroken, StoreUnavailable
from asgilook.store import ObjectInfo
from asgilook.store.files import FileStore
from asgilook.store.tree import Tree
from tests import pictures
from tests.rooms import opened

KEY = "images/0.jpeg"
DESCRIPTION = b'{"content_type": "image/jpeg", "metadata": {"width": "462"}}'

PUT_AND_DIE = """
import asyncio, os, sys
from pathlib import Path
from asgilook.store.files import FileStore

os.link = lambda *names, **where: os._exit(7)
store = FileStore(Path(sys.argv[1]))
asyncio.run(store.put(sys.argv[2], b"half", content_type="image/jpeg", metadata={}))
"""


def die_while_writing(folder: Path) -> None:
    died = subprocess.run([sys.executable, "-c", PUT_AND_DIE, folder, KEY], check=False)
    assert died.returncode == 7


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def place_in(folder: Path) -> Path:
    return Tree(folder).path(KEY)


async def put(store: FileStore, body: bytes) -> ObjectInfo:
    return await store.put(KEY, body, content_type="image/jpeg", metadata={"width": "462"})


async def test_an_object_opens_in_a_picture_viewer_as_it_lies_there(tmp_path: Path) -> None:
    jpeg = pictures.upload()
    await put(FileStore(tmp_path), jpeg)
    shown = pictures.decode(place_in(tmp_path).read_bytes())
    assert (shown.format, shown.tobytes()) == ("JPEG", pictures.decode(jpeg).tobytes())


async def test_objects_outlive_the_store(tmp_path: Path) -> None:
    info = await put(FileStore(tmp_path), b"body")
    assert await FileStore(tmp_path).stat(KEY) == info


async def test_who_dies_while_writing_leaves_nothing_that_shows(tmp_path: Path) -> None:
    await asyncio.to_thread(die_while_writing, tmp_path)
    assert len(files_in(tmp_path)) == 1
    store = FileStore(tmp_path)
    assert await store.scan("images/", limit=10) == []
    with pytest.raises(ObjectNotFound):
        await store.stat(KEY)
    assert await put(store, b"whole") == await store.stat(KEY)


async def test_an_object_is_durable_with_its_name_and_its_folders_before_it_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, link = os.fsync, os.link

    def note_sync(descriptor: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    def note_link(source: str, target: str, *, dst_dir_fd: int) -> None:
        done.append("link")
        link(source, target, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "link", note_link)
    root = tmp_path / "pictures"
    await put(FileStore(root), b"body")
    above, below_root, file, *folders, linked, folder = done
    assert (above, below_root) == (str(tmp_path), str(root))
    assert file.startswith(str(root / "unfinished"))
    *made, last = reversed(place_in(root).relative_to(root).parents)
    assert folders == [str(root / each) for each in made]
    assert (linked, folder) == ("link", str(root / last))


async def test_who_loses_a_race_leaves_no_file_behind(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    racers = [put(store, b"mine"), put(store, b"yours")]
    results = await asyncio.gather(*racers, return_exceptions=True)
    assert {type(result) for result in results} == {ObjectInfo, ObjectExists}
    assert files_in(tmp_path) == [place_in(tmp_path)]


async def test_a_link_whose_answer_was_lost_is_not_taken_for_somebody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def ask_twice(source: str, target: str, *, dst_dir_fd: int) -> None:
        for _ in range(2):  # as NFS does
            link(source, target, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "link", ask_twice)
    store = FileStore(tmp_path)
    assert await put(store, b"body") == await store.stat(KEY)
    with pytest.raises(ObjectExists):
        await put(store, b"body")


@pytest.mark.parametrize("body", [b"", b"short", pictures.upload((64, 64))], ids=len)
async def test_a_file_that_the_store_did_not_write_is_no_object(
    tmp_path: Path, body: bytes
) -> None:
    path = place_in(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(body)
    await assert_not_found(FileStore(tmp_path))


async def test_a_file_that_lost_its_end_is_no_object(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    await put(store, b"body")
    whole = place_in(tmp_path).read_bytes()
    place_in(tmp_path).write_bytes(whole[:-1])
    await assert_not_found(store)


async def assert_not_found(store: FileStore) -> None:
    with pytest.raises(ObjectNotFound):
        await store.stat(KEY)
    with pytest.raises(ObjectNotFound):
        await store.open(KEY)


@pytest.mark.parametrize(
    ("whole", "damaged"),
    [
        (b"content_type", b"content\xfftype"),
        (b"content_type", b'content"type'),
        (b"content_type", b"content-type"),
        (b"\0\0\0", b"\xff\xff\xff"),
        (DESCRIPTION, b"[]".ljust(len(DESCRIPTION))),
    ],
    ids=["no text", "no JSON", "no name", "longer than all", "a list"],
)
async def test_a_description_that_is_damaged_is_a_broken_object(
    tmp_path: Path, whole: bytes, damaged: bytes
) -> None:
    store = FileStore(tmp_path)
    await put(store, b"body")
    file = place_in(tmp_path)
    file.write_bytes(file.read_bytes().replace(whole, damaged))
    for look in (store.stat, store.open):
        with pytest.raises(StoreBroken):
            await look(KEY)


async def test_a_broken_object_of_the_version_before_does_not_keep_the_store_from_opening(
    tmp_path: Path,
) -> None:
    await put(FileStore(tmp_path), b"body")
    broken, whole = tmp_path / "images/1.jpeg", tmp_path / "images/2.jpeg"
    whole.write_bytes(place_in(tmp_path).read_bytes())
    broken.write_bytes(whole.read_bytes().replace(b"{", b"\xff"))
    async with opened(FileStore(tmp_path)) as store:
        assert await store.scan("images/", limit=10) == [KEY, "images/2.jpeg"]
    assert broken.exists()


async def test_a_file_that_shrinks_while_it_is_read_is_never_taken_for_whole(
    tmp_path: Path,
) -> None:
    store = FileStore(tmp_path)
    await put(store, b"b" * 500_000)
    async with await store.open(KEY) as stream:
        await anext(stream)
        place_in(tmp_path).write_bytes(b"")
        with pytest.raises(StoreUnavailable):
            await anext(stream)


async def test_a_place_that_leads_to_a_volume_that_is_away_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "away")
    with pytest.raises(StoreUnavailable):
        await put(FileStore(tmp_path / "link"), b"body")


async def test_a_place_that_is_no_folder_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FileStore(tmp_path / "file")
    calls = (
        put(store, b"body"),
        store.stat(KEY),
        store.open(KEY, ByteRange(0, 9)),
        store.scan("images/", limit=10),
        store.delete(KEY),
    )
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
