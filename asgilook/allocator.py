"""What becomes of memory that is given back to the C library: glibc keeps much of it by default.

mallopt(3) and malloc_trim(3); where there are none, as in musl and on macOS, nothing is done.
"""

import ctypes

LARGE_BYTES = 4 * 1024 * 1024
"""What is as large is taken from the system for itself, and goes back to it when it is freed."""

KEPT_BYTES = 16 * 1024 * 1024
"""What is kept at the end of a heap, so that thumbnails of common sizes need not ask for more."""

HEAPS = 2
"""Threads that wait for each other most of the time, for the interpreter's sake, need no more."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def keep_little() -> None:
    """Keep little of what is freed from now on; before there are threads, or it comes too late."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
        libc.mallopt(_M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Give all back that is free: it costs some milliseconds when it is wanted again."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
