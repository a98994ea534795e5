"""What a store in a folder promises of its folders, which come and go with what is in them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from asgilook.image import Image
from asgilook.store.files import FileStore
from asgilook.store.tree import Tree
from tests.fsck import shelves
from tests.rooms import opened

SECOND = timedelta(seconds=1)
PREFIXES = ("images/", "index/", "tombstones/")

WORK = """
import asyncio, contextlib, os, sys
from pathlib import Path
from asgilook.errors import ObjectExists, ObjectNotFound
from asgilook.store.files import FileStore

store, me, rounds = FileStore(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])

async def has(key):
    try:
        async with await store.open(key) as stream:
            return await stream.rest() == me.encode()
    except ObjectNotFound:
        return False

async def work():
    mine, everybodys = f"race/01234567-{me}", "race/01234567"
    for number in range(rounds):
        for key in (mine, everybodys, f"race/{number:08}-{me}"):
            try:
                await store.put(key, me.encode(), content_type="text/plain", metadata={})
            except ObjectExists:
                assert key == everybodys, key
                continue
            assert await has(key), key
            assert key in await store.scan("race/", limit=1000), key
            await store.delete(key)
        assert not await has(mine), mine
        print(number, flush=True)

asyncio.run(work())
"""
WORKERS = 4
ROUNDS, FOR_EVER = 100, 1_000_000


@contextmanager
def workers(folder: Path, rounds: int) -> Iterator["list[subprocess.Popen[str]]"]:
    """Let processes put and delete, by and by, what lies in the same folders."""
    with ExitStack() as running:
        yield [running.enter_context(worker(folder, number, rounds)) for number in range(WORKERS)]


@contextmanager
def worker(folder: Path, number: int, rounds: int) -> Iterator["subprocess.Popen[str]"]:
    arguments = [sys.executable, "-c", WORK, str(folder), str(number), str(rounds)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def say(process: "subprocess.Popen[str]", lines: int) -> None:
    """Wait for some lines of a process, which tells in what went wrong where it ended instead."""
    assert process.stdout
    assert process.stderr
    for _ in range(lines):
        assert process.stdout.readline(), process.stderr.read()


def folders_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_dir()]


@pytest.fixture
def images() -> list[Image]:
    """Give images that came a second apart, newest first."""
    return [shelves.image_of(number * SECOND) for number in range(200)]


async def keys(store: FileStore) -> list[str]:
    return [key for prefix in PREFIXES for key in await store.scan(prefix, limit=1000)]


def test_processes_that_share_folders_are_in_nobodys_way(tmp_path: Path) -> None:
    with workers(tmp_path, ROUNDS) as racing:
        for each in racing:
            _, trouble = each.communicate()
            assert (each.returncode, trouble) == (0, "")
    assert folders_in(tmp_path / "race") == []


async def test_processes_that_are_killed_leave_nothing_that_is_not_whole(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    for lines in range(1, 6):
        with workers(tmp_path, FOR_EVER) as racing:
            for each in racing:
                say(each, lines)
        for key in await store.scan("race/", limit=1000):
            async with await store.open(key) as stream:
                assert (await stream.rest()).decode() in {key.rpartition("-")[2], *"0123"}
            await store.delete(key)
        assert await store.scan("race/", limit=1000) == []


def test_a_folder_that_was_made_and_removed_meanwhile_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, file, key = Tree(tmp_path), tmp_path / "file", "race/01234567"
    file.touch()
    folders, mkdir = list(tree.path(key).parents)[:4], os.mkdir

    def lost(folder: Path, mode: int = 0o777) -> None:
        if folder in folders:
            folders.remove(folder)
            raise FileExistsError(f"another had made {folder}, and removes it at once")
        mkdir(folder, mode)

    monkeypatch.setattr(os, "mkdir", lost)
    tree.add(str(file), key)
    assert (list(tree.keys("race/", "")), folders) == ([key], [])


async def test_what_is_deleted_takes_its_folders_along(tmp_path: Path, images: list[Image]) -> None:
    store = FileStore(tmp_path)
    for image in images:
        await shelves.put_whole(store, image)
    gone, stays = images[1:], images[0]
    for image in gone:
        await store.delete(image.index_key)
        await store.delete(image.picture_key)
    assert await keys(store) == [stays.picture_key, stays.index_key]
    assert len(folders_in(tmp_path / "index")) == len(folders_in(tmp_path / "images")) == 4


async def test_a_page_reads_no_more_among_many_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, scandir = Tree(tmp_path), os.scandir
    listed = [shelves.image_of(number * SECOND).index_key for number in range(10_000)]
    for key in listed:
        tree.path(key).parent.mkdir(parents=True, exist_ok=True)
        tree.path(key).touch()
    read: list[os.DirEntry[str]] = []

    @contextmanager
    def counted(folder: Path) -> Iterator["list[os.DirEntry[str]]"]:
        with scandir(folder) as entries:
            found = list(entries)
        read.extend(found)
        yield found

    monkeypatch.setattr(os, "scandir", counted)
    for start_at in (0, 5000, 9000):
        read.clear()
        page = await FileStore(tmp_path).scan("index/", after=listed[start_at], limit=100)
        assert page == listed[start_at + 1 :][:100]
        # Three minutes at most, and the folders above them.
        assert len(read) < 3 * 66 + 4 * 256


async def test_what_others_put_there_is_not_in_the_way(tmp_path: Path, images: list[Image]) -> None:
    store, tree, image = FileStore(tmp_path), Tree(tmp_path), images[0]
    await shelves.put_whole(store, image)
    leaf = tree.path(image.index_key).parent
    for stray in (tmp_path / "index", leaf.parent, leaf):
        (stray / "Thumbs.db").touch()
        (stray / "ab").touch()
        (stray / "lost+found").mkdir()
        (stray / "xy").mkdir()
    async with opened(store):
        assert await keys(store) == [image.picture_key, image.index_key]
        await store.delete(image.index_key)
        assert await store.scan("index/", limit=10) == []
        await shelves.put_record(store, image)
        assert await store.scan("index/", limit=10) == [image.index_key]


def flatten(folder: Path) -> None:
    """Leave a folder as the version before folders in folders did."""
    for prefix in PREFIXES:
        for path in (folder / prefix).rglob("*"):
            if path.is_file():
                path.rename(folder / prefix / path.name)


async def test_a_folder_of_the_version_before_goes_on_to_work(
    tmp_path: Path, images: list[Image]
) -> None:
    store, one = FileStore(tmp_path), images[0]
    for image in images:
        await shelves.put_whole(store, image)
    await shelves.put_tombstone(store, one)
    before = await keys(store)
    flatten(tmp_path)
    (tmp_path / "images/cat.jpeg").write_bytes(b"not ours")
    assert await keys(store) == []
    # Two workers start at once.
    await asyncio.gather(*(FileStore(tmp_path).open_up() for _ in range(2)))
    assert await keys(store) == before
    assert (await store.stat(one.picture_key)).length_bytes == len(shelves.BODY)
    assert (tmp_path / "images/cat.jpeg").exists()
