"""The doctor at the machine: what a container leaves a process, and what the settings want."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, features

from asgilook.config import Settings
from asgilook.doctor import Finding
from asgilook.doctor.codecs import examine_codecs
from asgilook.doctor.machine import Machine, cgroup_memory_bytes, cgroup_processors, file_system
from asgilook.doctor.room import examine_room, judge_disk, process_bytes
from tests.doctor.conftest import LARGE, MIB

SETTINGS = Settings(render_slots=2)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Give a process that is in a group two floors down."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cgroup").write_text("3:cpu:/\n0::/pods/ours\n")
    (tmp_path / "proc" / "mounts").write_text(
        "/dev/sda1 / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/sda2 /tmp/disk xfs rw 0 0\n"
    )
    (tmp_path / "groups" / "pods" / "ours").mkdir(parents=True)
    return tmp_path / "proc"


def groups(proc: Path) -> Path:
    return proc.parent / "groups"


def wrong(machine: Machine, workers: int = 1, settings: Settings = SETTINGS) -> dict[str, str]:
    findings = examine_room(settings, machine, workers)
    return {each.what: each.level for each in findings if each.level != "ok"}


def test_without_groups_there_are_no_bounds(proc: Path) -> None:
    assert cgroup_processors(groups(proc), proc) == float("inf")
    assert cgroup_memory_bytes(groups(proc), proc) > 1024**5


def test_the_least_bound_of_all_groups_above_holds(proc: Path) -> None:
    own, above = groups(proc) / "pods" / "ours", groups(proc) / "pods"
    (own / "memory.max").write_text("max\n")
    (above / "memory.max").write_text(f"{512 * MIB}\n")
    (own / "cpu.max").write_text("150000 100000\n")
    (above / "cpu.max").write_text("max 100000\n")
    assert cgroup_memory_bytes(groups(proc), proc) == 512 * MIB
    assert 2 * cgroup_processors(groups(proc), proc) == 3


def test_the_first_version_of_groups_is_read(proc: Path) -> None:
    for name, text in {
        "memory/memory.limit_in_bytes": f"{512 * MIB}",
        "cpu/cpu.cfs_quota_us": "50000",
        "cpu/cpu.cfs_period_us": "100000",
    }.items():
        (groups(proc) / name).parent.mkdir(exist_ok=True)
        (groups(proc) / name).write_text(f"{text}\n")
    assert cgroup_memory_bytes(groups(proc), proc) == 512 * MIB
    assert 2 * cgroup_processors(groups(proc), proc) == 1


@pytest.mark.parametrize(
    ("path", "kind"), [("/tmp/x", "tmpfs"), ("/tmp/disk/x", "xfs"), ("/var/tmp", "ext4")]
)
def test_the_kind_of_a_file_system_is_that_of_the_nearest_mount(
    proc: Path, path: str, kind: str
) -> None:
    assert file_system(Path(path), proc) == kind


def test_a_mount_whose_name_is_no_text_is_one_of_the_others(proc: Path) -> None:
    with (proc / "mounts").open("ab") as mounts:
        mounts.write(b"/dev/sdz1 /media/caf\xe9 vfat rw 0 0\n")
    assert file_system(Path("/var/tmp"), proc) == "ext4"


def test_this_machine_can_be_looked_at() -> None:
    machine = Machine.look()
    assert machine.processors > 0
    assert machine.memory_bytes > 64 * MIB


def test_the_readme_counts_the_memory_of_a_process_as_the_doctor_does() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert f"{-(-process_bytes(SETTINGS) // MIB)} MiB" in readme


@pytest.mark.parametrize(
    ("machine", "workers", "told"),
    [
        (LARGE, 1, {}),
        (LARGE, 8, {}),
        (LARGE, 9, {"memory": "FAIL"}),
        (replace(LARGE, memory_bytes=512 * MIB), 1, {"memory": "FAIL"}),
        (replace(LARGE, processors=1.5), 1, {"ASGI_LOOK_RENDER_SLOTS": "warn"}),
        (replace(LARGE, descriptors=1024), 1, {"file descriptors": "warn"}),
        (replace(LARGE, is_temporary_in_memory=True), 1, {"temporary files": "warn"}),
        (replace(LARGE, temporary_free_bytes=100 * MIB), 1, {"temporary files": "warn"}),
        (replace(LARGE, temporary_free_bytes=10 * MIB), 1, {"temporary files": "FAIL"}),
    ],
)
def test_what_there_is_too_little_of_is_told(
    machine: Machine, workers: int, told: dict[str, str]
) -> None:
    assert wrong(machine, workers) == told


@pytest.mark.parametrize(("free_bytes", "level"), [(8192 * MIB, "ok"), (100 * MIB, "warn")])
def test_a_disk_that_is_nearly_full_is_told(free_bytes: int, level: str) -> None:
    assert judge_disk(SETTINGS, free_bytes).level == level


def levels(findings: list[Finding]) -> dict[str, str]:
    return {each.what: each.level for each in findings}


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_a_codec_that_pillow_was_built_without_is_told(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert levels(examine_codecs())[f"codec {kind.lower()}"] == "ok"
    monkeypatch.delitem(Image.SAVE, kind)
    assert levels(examine_codecs())[f"codec {kind.lower()}"] == "FAIL"


def test_a_slow_libjpeg_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert levels(examine_codecs())["codec libjpeg-turbo"] == "ok"
    monkeypatch.setattr(features, "check_feature", {}.get)
    assert levels(examine_codecs())["codec libjpeg-turbo"] == "warn"
