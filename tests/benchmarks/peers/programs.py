"""Where the other services come from: installed beside this environment, and kept there.

What cannot be installed is left out, and said loudly.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click

from tests.benchmarks.photographs import CACHE

HERE = Path(__file__).parent
THUMBOR = CACHE / "thumbor"
NODE = CACHE / "node"

# What asgilook does, too: a baseline JPEG of quality 80, nothing kept, one URL for each size.
# thumbor's own default of a progressive JPEG costs its encoder five times as much.
_THUMBOR_CONF = """\
LOADER = "thumbor.loaders.file_loader"
FILE_LOADER_ROOT_PATH = {folder!r}
STORAGE = "thumbor.storages.no_storage"
RESULT_STORAGE = None
QUALITY = 80
AVIF_QUALITY = 80
AVIF_SPEED = 8
PROGRESSIVE_JPEG = False
"""


@dataclass(frozen=True, slots=True)
class Program:
    """How to run one, and how its URLs are made."""

    command: Callable[[Path, int], list[str]]
    template: str
    is_there: Callable[[], bool] = lambda: True


def _thumbor(folder: Path, port: int) -> list[str]:
    conf = folder.parent / "thumbor.conf"
    conf.write_text(_THUMBOR_CONF.format(folder=str(folder)))
    program = str(THUMBOR / "bin" / "thumbor")
    return [program, "-i", "127.0.0.1", "-p", str(port), "-c", str(conf), "--processes", "2"]


def _node(script: str) -> Callable[[Path, int], list[str]]:
    return lambda folder, port: ["node", str(NODE / script), str(folder), str(port)]


def _tutorial(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.peers.tutorial", str(folder), str(port)]


@cache
def _has_thumbor() -> bool:
    if not (THUMBOR / "bin" / "thumbor").exists():
        subprocess.run([sys.executable, "-m", "venv", THUMBOR], check=True)
        subprocess.run([THUMBOR / "bin" / "pip", "install", "--quiet", "thumbor"], check=True)
    return True


@cache
def _has_node() -> bool:
    if not (shutil.which("node") and shutil.which("npm")):
        click.secho("NO NODE HERE: sharp and ipx are left out", fg="red", bold=True, err=True)
        return False
    NODE.mkdir(parents=True, exist_ok=True)
    if not (NODE / "node_modules").exists():
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "sharp", "ipx"]
        subprocess.run([*install, "--prefix", NODE], check=True)
    for script in HERE.glob("*.mjs"):  # node looks for its modules beside the script
        shutil.copy(script, NODE)
    return True


PROGRAMS = {
    "thumbor": Program(_thumbor, "/unsafe/{size}/filters:format({kind})/{name}", _has_thumbor),
    "sharp": Program(_node("sharp.mjs"), "/{name}/{size}.{kind}", _has_node),
    "ipx": Program(_node("ipx.mjs"), "/s_{size},f_{kind},q_80/{name}", _has_node),
    "tutorial": Program(_tutorial, "/thumbnails/{name}/{size}.{kind}"),
}


def available() -> list[str]:
    """List those that can run here; they are installed when this is first asked."""
    return [name for name, program in PROGRAMS.items() if program.is_there()]


def versions() -> dict[str, str]:
    """Tell the version of each that is available."""
    available()
    found: dict[str, str] = {}
    for line in _output(THUMBOR / "bin" / "pip", "list", "--format=freeze").splitlines():
        name, _, version = line.partition("==")
        if name in {"thumbor", "pillow"}:
            found[name if name == "thumbor" else "its Pillow"] = version
    if _has_node():
        for name in ("sharp", "ipx"):
            package = f"require('{NODE}/node_modules/{name}/package.json').version"
            found[name] = _output("node", "-p", package).strip()
        found["node"] = _output("node", "--version").strip()
    return found


def _output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout
