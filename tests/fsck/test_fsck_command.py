"""`asgilook fsck`, through its front door."""

import asyncio
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asgilook.cli import main
from asgilook.image import Image
from asgilook.store.files import FileStore
from asgilook.store.tree import Tree
from asgilook.tombstones import tombstone_key
from tests.cdn import api
from tests.fsck import shelves
from tests.fsck.shelves import image_of
from tests.servers import free_port


@pytest.fixture
def damaged(tmp_path: Path) -> Image:
    """Give the one image of a folder, whose record was lost."""
    image = image_of()
    asyncio.run(shelves.put_picture(FileStore(tmp_path), image))
    return image


@pytest.fixture
def half_deleted(tmp_path: Path) -> Image:
    """Give the one image of a folder, whose deletion was interrupted before anything was gone."""
    image = image_of()
    asyncio.run(shelves.put_whole(FileStore(tmp_path), image))
    asyncio.run(shelves.put_tombstone(FileStore(tmp_path), image))
    return image


def fsck(folder: Path, *arguments: str, **settings: str) -> Result:
    environment = {f"ASGI_LOOK_{name}": value for name, value in settings.items()}
    environment.setdefault("ASGI_LOOK_STORAGE_PATH", str(folder))
    return CliRunner().invoke(main, ["fsck", *arguments], env=environment)


def test_it_says_what_it_found_and_ends_with_1_until_that_is_mended(
    tmp_path: Path, damaged: Image
) -> None:
    found = fsck(tmp_path)
    assert found.exit_code == 1
    assert found.stdout.splitlines() == [
        f"picture-without-record: {damaged.picture_key}",
        "looked at 1 in images/: 1 problems, 0 mended",
    ]
    mended = fsck(tmp_path, "--repair")
    assert mended.exit_code == 0
    assert mended.stdout.splitlines() == [
        f"picture-without-record: {damaged.picture_key} (mended)",
        "looked at 1 in images/: 1 problems, 1 mended",
    ]
    clean = fsck(tmp_path)
    assert (clean.exit_code, clean.stderr) == (0, "")
    assert clean.stdout == "looked at 1 in images/: 0 problems, 0 mended\n"


def test_scripts_get_a_document_per_line(tmp_path: Path, damaged: Image) -> None:
    *found, summary = map(json.loads, fsck(tmp_path, "--json").stdout.splitlines())
    assert found == [
        {"kind": "picture-without-record", "key": damaged.picture_key, "mended": False}
    ]
    assert summary == {"seen": {"images/": 1}, "problems": 1, "mended": 0, "foreign": 0}


def test_what_others_put_there_is_no_problem(tmp_path: Path) -> None:
    cat = Tree(tmp_path).path("images/cat.jpeg")
    cat.parent.mkdir(parents=True)
    cat.touch()
    found = fsck(tmp_path, "--repair")
    assert found.exit_code == 0
    assert "foreign-object: images/cat.jpeg\n" in found.stdout
    assert cat.exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [("cat\udce9.jpeg", r"cat\udce9.jpeg"), ("cat\x1b[2J\n.jpeg", r"cat\x1b[2J\n.jpeg")],
    ids=["no text", "more than a line"],
)
def test_the_name_of_what_others_put_there_is_told_in_plain_characters(
    tmp_path: Path, name: str, told: str
) -> None:
    path = Tree(tmp_path).path(f"images/{name}")
    path.parent.mkdir(parents=True)
    path.touch()
    found = fsck(tmp_path)
    assert found.exit_code == 0
    assert found.stdout.splitlines()[0] == f"foreign-object: images/{told}"
    [line, _] = map(json.loads, fsck(tmp_path, "--json").stdout.splitlines())
    assert line["key"] == f"images/{name}"


def test_a_file_that_nobody_will_finish_is_removed(tmp_path: Path) -> None:
    old, young = (image.id for image in (image_of(), image_of(shelves.DAY * 0)))
    workshop = tmp_path / "unfinished"
    workshop.mkdir()
    for began in (old, young):
        (workshop / f"{began}-x1y2z3").write_bytes(b"half")
    assert f"file-unfinished: unfinished/{old}-x1y2z3" in fsck(tmp_path, "--repair").stdout
    assert [path.name for path in workshop.iterdir()] == [f"{young}-x1y2z3"]


def test_a_deletion_that_is_finished_is_told_to_the_cdn(
    tmp_path: Path, half_deleted: Image
) -> None:
    with api.fastly() as cdn:
        told = {"CDN": "fastly", "CDN_ID": "suite", "CDN_TOKEN": api.TOKEN, "CDN_URL": cdn.url}
        assert fsck(tmp_path, **told).exit_code == 1
        assert cdn.taken == []
        assert "(mended)" in fsck(tmp_path, "--repair", **told).stdout
    assert cdn.taken == [[f"img-{half_deleted.id}", "listing"]]


def test_a_deletion_is_not_finished_while_its_thumbnails_are_out_of_reach(
    tmp_path: Path, half_deleted: Image
) -> None:
    away = {"REDIS_URL": f"redis://127.0.0.1:{free_port()}"}
    assert fsck(tmp_path, "--repair", **away).stdout.splitlines() == [
        f"deletion-unfinished: {tombstone_key(half_deleted.id)}",
        "looked at 1 in images/, 1 in tombstones/: 1 problems, 0 mended",
    ]
    assert Tree(tmp_path).path(half_deleted.picture_key).exists()
    assert fsck(tmp_path, "--repair").exit_code == 0
    assert not Tree(tmp_path).path(half_deleted.picture_key).exists()


def test_an_object_that_is_broken_is_named_and_in_the_way_of_nothing(
    tmp_path: Path, half_deleted: Image
) -> None:
    listed, claimed = image_of(), image_of()
    asyncio.run(shelves.put_whole(FileStore(tmp_path), listed))
    claim = asyncio.run(shelves.put_claim(FileStore(tmp_path), claimed))
    for key in (listed.picture_key, claim):
        file = Tree(tmp_path).path(key)
        file.write_bytes(file.read_bytes().replace(b"{", b"?"))
    told = [f"object-broken: {listed.picture_key}", f"object-broken: {claim}"]
    deleted = f"deletion-unfinished: {tombstone_key(half_deleted.id)} (mended)"
    assert fsck(tmp_path, "--repair").stdout.splitlines()[:-1] == [*told, deleted]
    again = fsck(tmp_path, "--repair")
    assert (again.exit_code, again.stdout.splitlines()[:-1]) == (1, told)


@pytest.mark.parametrize(
    "settings",
    [
        {"S3_BUCKET": "away", "S3_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"},
        {"JPEG_QUALITY": "101"},
    ],
    ids=["store", "setting"],
)
def test_where_it_cannot_look_it_says_so_and_ends_with_2(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    result = fsck(tmp_path, **settings)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")


def test_a_terminal_sees_a_bar_and_a_pipe_does_not(tmp_path: Path, damaged: Image) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        ended = subprocess.run(
            [sys.executable, "-m", "asgilook", "fsck"],
            env={**os.environ, "ASGI_LOOK_STORAGE_PATH": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=theirs,
            check=False,
        )
        os.close(theirs)
        shown = terminal.read(10_000)
    assert ended.returncode == 1
    assert b"1/1" in shown
    assert "fsck" not in ended.stdout.decode()
