"""What runs apart from the service: decoders, and the process that they are forked from.

That one has imported the codec and nothing else, knows no secret, and opens no picture. What it
has in memory its decoders share, and a new one costs some milliseconds of a processor, where an
interpreter of its own would cost eighty.
"""

import contextlib
import ctypes
import gc
import os
import pickle
import resource
import select
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import NoReturn

from asgilook import allocator, reports
from asgilook.reports import Noted

ORDER = struct.Struct("!QQ")
"""The number of a decoder, and the memory that it may take; it comes with a pipe, or it is to end.

A number is given once, unlike a process's own: so nobody else can be ended by mistake.
"""

ANSWER = struct.Struct("!Q")
"""The process that an order made, or the signal that one had ended by; 0 where there is none."""

PIPE = 0
"""Where a process has the pipe to its parent: in the place of an input, which it has none of."""

NICENESS = 19
"""The last step: beside others that want a processor, one part in seventy of it."""

PAUSE_S = 5.0
"""For how long a decoder has nothing to do before it gives back what memory it does not need.

To ask for it again costs 2.6 ms, a tenth of a ladder of 2560x1600.
"""

OPEN_FILES = 64
"""More than a decoder's own, an upload and what is made of it ever are."""

_PR_SET_NO_NEW_PRIVS = 38  # prctl(2)


def main() -> None:
    """Fork and end decoders, as ordered; with the parent, however that went, all of them end."""
    _take_signals()
    _give_up()
    # What the decoders share is left alone by their collectors: to look at a thing is to write it.
    gc.collect()
    gc.freeze()
    decoders: dict[int, int] = {}
    with socket.socket(fileno=PIPE) as parent, contextlib.suppress(ConnectionError):
        while True:
            order, pipes, _, _ = socket.recv_fds(parent, ORDER.size, 1)
            if not order:
                break
            number, memory_bytes = ORDER.unpack(order)
            if pipes:
                answer = decoders[number] = _fork(pipes[0], memory_bytes)
            else:
                answer = _end(decoders.pop(number, 0))
            parent.sendall(ANSWER.pack(answer))
    for process in decoders.values():
        _end(process)


def _fork(pipe: int, memory_bytes: int) -> int:
    try:
        process = os.fork()
    except OSError:
        process = -1
    if process == 0:
        _decode(pipe, memory_bytes)
    os.close(pipe)
    return max(0, process)


def _end(process: int) -> int:
    """End a decoder at once, if there is one, and tell the signal that it ended by.

    Its process's number is nobody else's until then.
    """
    if not process:
        return 0
    # One that has ended already keeps the signal that it had.
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return os.WTERMSIG(status)


def _decode(pipe: int, memory_bytes: int) -> NoReturn:
    """Be a decoder, and nothing else any more."""
    try:
        os.dup2(pipe, PIPE)
        os.closerange(3, OPEN_FILES)
        # Not every system bounds an address space (macOS does not).
        _limit(resource.RLIMIT_AS, memory_bytes)
        _limit(resource.RLIMIT_NPROC, 0)
        step_back()
        with socket.socket(fileno=PIPE) as parent:
            serve(parent)
    finally:
        os._exit(0)


def serve(parent: socket.socket) -> None:
    """Do one job after the other, for as long as the parent is there."""
    with contextlib.suppress(EOFError, ConnectionError), parent.makefile("rb") as jobs:
        while True:
            # Not after each job: who decodes one picture after the other would ask for it again.
            if not select.select([parent], [], [], PAUSE_S)[0]:
                allocator.give_back()
            limit_s, limit_bytes, lengths = pickle.load(jobs)  # noqa: S301 - the parent's
            parts = [jobs.read(length) for length in lengths]
            job = pickle.load(jobs, buffers=parts)  # noqa: S301 - the parent's
            answer: Noted[object] | Exception
            _limit_growth(limit_bytes)
            # The signal ends the process, in the middle of a library's loop as well.
            signal.setitimer(signal.ITIMER_PROF, limit_s)
            try:
                answer = reports.noted(job)
            except Exception as error:  # noqa: BLE001 - it is raised again, in the parent
                answer = error
            signal.setitimer(signal.ITIMER_PROF, 0)
            head, *parts = reports.write(answer)
            for piece in (len(head).to_bytes(4), head, *parts):
                parent.sendall(piece)
            # An error's traceback holds the picture, which the next job's memory is wanted for.
            del job, answer, parts


def step_back() -> None:
    """Have what others leave of the processors: an answer must not wait for pixels."""
    os.nice(NICENESS)


def _take_signals() -> None:
    """Leave it to the parent when to end, and take nothing over of what it was started with."""
    # A supervisor may send these to all that it started (systemd.kill(5)): then what is under way
    # is to be finished, for the parent's clients. Its own end is told by the pipe.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Signals that are ignored stay so in a new program: here the kernel would end nobody who takes
    # too much of a processor, and decoders would be gone before they are asked for.
    for number in (signal.SIGPROF, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)


def _give_up() -> None:
    """Give up, for good and for all that is forked, what decoding needs nothing of."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    # Libraries grumble there about each flaw of a file, and our log is not for strangers to write.
    sys.stderr.flush()
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - it has no better name
        os.dup2(nowhere.fileno(), 2)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _limit_growth(most_bytes: int) -> None:
    """Let this process take so much memory beside what it has; files that are mapped are free."""
    with contextlib.suppress(ValueError, OSError):  # where there is no such file, or limit
        pages = int(Path("/proc/self/statm").read_text().split()[5])
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = pages * resource.getpagesize() + most_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _limit(kind: int, most: int) -> None:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main()
