"""Whether there is room for what the settings allow: processors, memory, descriptors, disks."""

import shutil

from asgilook import config
from asgilook.config import Settings
from asgilook.doctor.findings import Finding, fail, ok, warn
from asgilook.doctor.machine import Machine

BASE_BYTES = 100 * 1024 * 1024
SLOT_BYTES = 15 * 1024 * 1024
"""What a process takes by itself, and for each slot: the README's formula."""

DESCRIPTORS = 4096
"""Each reader takes one, and each original on its way another."""
UPLOADS_AT_ONCE = 16
PICTURES_TO_COME = 100

_MIB = 1024 * 1024


def process_bytes(settings: Settings) -> int:
    """Tell how much memory a process takes at most."""
    pictures = settings.decode_memory_bytes * 9 // 8
    return pictures + settings.memory_cache_bytes + BASE_BYTES + SLOT_BYTES * settings.render_slots


def examine_room(settings: Settings, machine: Machine, workers: int) -> list[Finding]:
    """Compare what so many workers may take with what there is."""
    return [
        _processors(settings, machine),
        _memory(settings, machine, workers),
        _descriptors(machine),
        _temporary(settings, machine),
    ]


def examine_disk(settings: Settings) -> Finding:
    """Look for room for pictures in their folder."""
    return judge_disk(settings, shutil.disk_usage(settings.storage_path).free)


def judge_disk(settings: Settings, free_bytes: int) -> Finding:
    """Judge the free space of the file system that the folder is on."""
    what, seen = "folder space", f"{free_bytes // _MIB} MiB free"
    if free_bytes < PICTURES_TO_COME * settings.max_upload_bytes:
        return warn(what, seen, f"make room on the file system of {settings.storage_path}")
    return ok(what, seen)


def _processors(settings: Settings, machine: Machine) -> Finding:
    what, slots = config.variable("render_slots"), settings.render_slots
    seen = f"{slots} in each process, {machine.processors:g} processors"
    if slots > max(1, machine.processors):
        mend = f"set it to {max(1, int(machine.processors))}: more slots only wait for each other"
        return warn(what, seen, mend)
    return ok(what, seen)


def _memory(settings: Settings, machine: Machine, workers: int) -> Finding:
    needed, there = workers * process_bytes(settings), machine.memory_bytes
    seen = f"{workers} workers take up to {needed // _MIB} MiB of {there // _MIB}"
    if needed > there:
        mend = f"lower {config.variable('decode_memory_bytes')} or the workers, or give more"
        return fail("memory", seen, mend)
    return ok("memory", seen)


def _descriptors(machine: Machine) -> Finding:
    what, seen = "file descriptors", str(machine.descriptors)
    if machine.descriptors < DESCRIPTORS:
        mend = f"each reader takes one; `ulimit -n {16 * DESCRIPTORS}`, or LimitNOFILE in systemd"
        return warn(what, seen, mend)
    return ok(what, "enough" if machine.descriptors >= 1 << 60 else seen)


def _temporary(settings: Settings, machine: Machine) -> Finding:
    what, free_bytes = "temporary files", machine.temporary_free_bytes
    seen = f"{machine.temporary}, {free_bytes // _MIB} MiB free"
    mend = "uploads wait there; let TMPDIR name a folder on a disk"
    if free_bytes < settings.max_upload_bytes:
        return fail(what, f"{seen}, less than one upload", mend)
    if machine.is_temporary_in_memory:
        return warn(what, f"{seen}, in memory", mend)
    if free_bytes < UPLOADS_AT_ONCE * settings.max_upload_bytes:
        return warn(what, f"{seen}, less than {UPLOADS_AT_ONCE} uploads", mend)
    return ok(what, seen)
