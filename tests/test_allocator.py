"""What was freed does not stay with the process."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others have no mallopt")

PROGRAM = """
import resource
from pathlib import Path
from asgilook import allocator

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

def work():
    pictures = [bytearray(allocator.LARGE_BYTES) for _ in range(8)]
    return bytearray(100_000)  # what lies behind them keeps their place from being given up

{first}
before = resident()
kept = [work() for _ in range(3)]
{then}
print((resident() - before) // allocator.LARGE_BYTES)
"""


def large_pieces_kept(first: str = "", then: str = "") -> int:
    program = PROGRAM.format(first=first, then=then)
    command = [sys.executable, "-c", program]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_left_alone_it_keeps_what_pictures_took() -> None:
    assert large_pieces_kept() >= 2


def test_what_a_large_picture_took_goes_back_at_once() -> None:
    assert large_pieces_kept(first="allocator.keep_little()") == 0


def test_all_that_is_free_can_be_given_back() -> None:
    assert large_pieces_kept(then="allocator.give_back()") == 0
