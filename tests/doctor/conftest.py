"""What the doctor's tests share: a machine with room enough, whichever they run on."""

from dataclasses import replace
from pathlib import Path

import pytest

from asgilook import config, doctor
from asgilook.doctor.machine import Machine
from asgilook.doctor.room import judge_disk

MIB = 1024 * 1024
LARGE = Machine(2, 8192 * MIB, 65536, Path("/tmp"), 8192 * MIB, is_temporary_in_memory=False)


class Large:
    """Is found wherever one looks."""

    @staticmethod
    def look() -> Machine:
        return replace(LARGE, processors=config.processors())


@pytest.fixture(autouse=True)
def _on_a_large_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be wrong with the machine: many open 1024 files, or keep `/tmp` in memory."""
    monkeypatch.setattr(doctor, "Machine", Large)
    monkeypatch.setattr(doctor, "examine_disk", lambda settings: judge_disk(settings, 8192 * MIB))
