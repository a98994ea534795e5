"""HEIC is taken where its decoder is installed, and is a type like any other where it is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from asgilook.http.problems import ACCEPT_POST
from tests import pictures
from tests.codec.likeness import difference, ingested
from tests.http.client import Client

# Imports the package as if the extra were not installed, and tells what it says of a file.
WITHOUT = """
import sys
from pathlib import Path
sys.modules["pillow_heif"] = None
from asgilook.codec import HeaderLimits, inspect
from asgilook.http.problems import ACCEPT_POST, problem_of
print(ACCEPT_POST)
try:
    inspect(Path(sys.argv[1]), HeaderLimits(1_000_000, 1 << 30))
except Exception as error:
    print(problem_of(error).status)
"""

PHOTOGRAPH = pictures.photograph((320, 200))
HEIC = pictures.encode(PHOTOGRAPH, "HEIF", quality=95)


def test_a_photograph_becomes_a_jpeg_like_it() -> None:
    made = ingested(HEIC)
    assert (made.size, made.source_type) == ((320, 200), "image/heic")
    assert difference(pictures.decode(made.jpeg), PHOTOGRAPH) < 8


@pytest.mark.parametrize("media_type", ["image/heic", "image/heif", "application/octet-stream"])
async def test_it_may_be_announced_by_either_of_its_names(client: Client, media_type: str) -> None:
    assert (await client.add(HEIC, media_type))["size"] == [320, 200]
    assert media_type in [*ACCEPT_POST.split(", "), "application/octet-stream"]


async def test_half_a_file_is_broken(client: Client) -> None:
    refused = await client.post(HEIC[: len(HEIC) // 2], "image/heic")
    assert (refused.status_code, refused.json["code"]) == (422, "picture-broken")


def test_without_the_extra_it_is_not_taken_and_not_offered(folder: Path) -> None:
    (folder / "upload").write_bytes(HEIC)
    command = [sys.executable, "-c", WITHOUT, "upload"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert told == [ACCEPT_POST.replace("image/heic, image/heif, ", ""), "415"]
