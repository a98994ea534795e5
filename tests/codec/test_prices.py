"""What rendering takes of memory, in both processes, is no more than its price."""

import subprocess
import sys
from pathlib import Path

import pytest

from asgilook.codec import rungs_cost_bytes, variant_cost_bytes
from asgilook.image import Format, Size, ladder
from asgilook.variant import Fit, Variant
from tests import pictures

FULL = Size(4000, 3000)

PROGRAM = """
import re, sys
from pathlib import Path
from asgilook.codec import render, render_variant
from asgilook.image import Format, Size, ladder
from asgilook.variant import Fit, Variant

def resident(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

what, kind, width, height = sys.argv[2], Format[sys.argv[3]], int(sys.argv[4]), int(sys.argv[5])
before = resident("VmRSS")
jpeg = Path(sys.argv[1]).read_bytes()
rungs = ladder(Size(width, height), 64)
if what == "rungs":
    render(jpeg, rungs[: None if kind is Format.JPEG else 1], kind, 80)
elif what == "smallest":
    render(jpeg, rungs[-1:], kind, 80)
else:
    render_variant(jpeg, Variant(Size(width, height), kind, Fit.CONTAIN, None), 80)
print(resident("VmHWM") - before)
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prices") / "original.jpeg"
    path.write_bytes(pictures.upload(FULL, quality=90))
    return path


@pytest.mark.parametrize("kind", Format)
def test_rungs_take_no_more_memory_than_their_price(original: Path, kind: Format) -> None:
    sizes = ladder(FULL, 64)[: None if kind is Format.JPEG else 1]
    assert _peak_bytes(original, "rungs", kind) <= rungs_cost_bytes(FULL, sizes, kind)


@pytest.mark.parametrize("kind", Format)
def test_the_smallest_rung_takes_no_more_memory_than_its_price(
    original: Path, kind: Format
) -> None:
    price_bytes = rungs_cost_bytes(FULL, ladder(FULL, 64)[-1:], kind)
    assert _peak_bytes(original, "smallest", kind) <= price_bytes


@pytest.mark.parametrize("kind", Format)
def test_a_variant_takes_no_more_memory_than_its_price(original: Path, kind: Format) -> None:
    variant = Variant(FULL, kind, Fit.CONTAIN, None)
    assert _peak_bytes(original, "variant", kind) <= variant_cost_bytes(FULL, variant)


def _peak_bytes(original: Path, what: str, kind: Format) -> int:
    arguments = [original, what, kind.name, *FULL]
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    peak_bytes = int(subprocess.run(command, check=True, capture_output=True).stdout)
    return peak_bytes + original.stat().st_size
