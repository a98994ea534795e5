"""The floors of `asgilook/ARCHITECTURE.md`, and which room knows which library, held by imports."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "asgilook"
FILES = sorted(PACKAGE.rglob("*.py"))
SIBLINGS = 1
"""The floor whose rooms do not know of each other."""

HOMES = {
    "PIL": ["codec"],
    "aiobotocore": ["aws_session", "cdn.cloudfront", "store.s3", "store.s3_connections"],
    "aiohttp": ["cdn.api", "store.s3_direct", "store.s3_object", "store.s3_trouble"],
    "botocore": [
        "aws_session",
        "cdn.cloudfront",
        "store.s3",
        "store.s3_direct",
        "store.s3_trouble",
    ],
    "click": ["cli", "config_command", "doctor_command", "fsck_command"],
    "falcon": ["http"],
    "hiredis": ["cache.line"],
    "http_sf": ["http.digests", "http.rate_limit"],
    "httptools": ["http.parser"],
    "limits": ["fleet_usage", "usage"],
    "msgpack": ["cache.redis"],
    "opentelemetry": ["http.spans"],
    "pillow_heif": ["codec.formats"],
    "prometheus_client": ["http.admin"],
    "pydantic": ["config", "setting_kinds"],
    "pydantic_settings": ["config", "setting_kinds"],
    "redis": ["breaker", "cache", "cdn.redis", "doctor.redis", "fleet_usage", "redis_client"],
    "types_aiobotocore_s3": ["store.s3"],
    "uvicorn": ["http", "cli"],
}
"""Who may import a library: rooms, or single files of them."""


def module(path: Path) -> str:
    """Name a file as imports do, without the package's own name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def room(name: str) -> str:
    return name.partition(".")[0]


MODULES = {module(path): path for path in FILES}


@cache
def imports(path: Path) -> frozenset[str]:
    """Name all that a file imports, wherever in it."""
    return frozenset(_imports(ast.parse(path.read_text())))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if own(name) in MODULES else node.module for name in names)


def own(name: str) -> str | None:
    """Give what an import names within the package, if it does."""
    package, _, inside = name.partition(".")
    return inside if package == "asgilook" else None


def own_imports(path: Path) -> set[str]:
    return {inside for name in imports(path) if (inside := own(name))}


def floors() -> dict[str, int]:
    """Read the floor of each room from the table."""
    rows = re.findall(r"(?m)^\| (\d) \| (.*?) \|", (PACKAGE / "ARCHITECTURE.md").read_text())
    return {name: int(floor) for floor, names in rows for name in re.findall(r"`(\w+)/?`", names)}


FLOORS = floors()


def test_the_table_has_every_room_and_no_other() -> None:
    assert FLOORS.keys() == {room(name) for name in MODULES} - {""}


@pytest.mark.parametrize("path", FILES, ids=module)
def test_a_file_imports_from_its_own_room_and_the_floors_below(path: Path) -> None:
    here = room(module(path))
    for there in {room(name) for name in own_imports(path)} - {here}:
        floor = FLOORS[there]
        assert floor < FLOORS[here] or floor == FLOORS[here] != SIBLINGS, there


def test_no_files_import_each_other_in_a_circle() -> None:
    graph = {name: own_imports(path) - {name} for name, path in MODULES.items()}
    assert set(TopologicalSorter(graph).static_order()) >= MODULES.keys()


def test_each_library_is_known_to_its_own_room_alone() -> None:
    users: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        for library in {room(imported) for imported in imports(path)}:
            if library != "asgilook" and library not in sys.stdlib_module_names:
                users.setdefault(library, set()).add(home_of(name, library))
    assert users == {library: set(homes) for library, homes in HOMES.items()}


def home_of(name: str, library: str) -> str:
    """Give the home that lets a file import a library; or else the file, to be complained of."""
    homes = (home for home in HOMES.get(library, ()) if f"{name}.".startswith(f"{home}."))
    return next(homes, name)


@pytest.mark.parametrize("path", FILES, ids=module)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    reads = re.search(r"\b(environ|getenv)b?\b", path.read_text())
    assert (reads is not None) == (module(path) == "config")


@pytest.mark.parametrize(
    "path", [*FILES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda path: path.stem
)
def test_no_file_is_too_long_to_be_read_at_a_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250
