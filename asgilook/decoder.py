"""A process that decodes what came from outside, one job at a time, and may be killed for it.

It is an interpreter of its own that imports the codec and nothing else: a child that
`multiprocessing` makes would import the parent's whole program again. It ends by itself when its
parent is gone, however that went and whatever it is at: the parent's end of the pipe closes then.
"""

import contextlib
import ctypes
import os
import pickle
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from asgilook import config, reports, timing
from asgilook.reports import MAX_HEAD_BYTES, Noted

LEAST_S = 1.5
"""The processor's time that any job gets."""

PATIENCE = 5
"""How many times its processor time a job may take by the clock: the machine may be busy."""

PIECE_BYTES = 256 * 1024
"""What is received at once: memory is taken for what came, not for what was announced."""

NICENESS = 19
"""The last step: beside others that want a processor, one part in seventy of it."""

OPEN_FILES = 64
"""More than a decoder's own, an upload and what is made of it ever are."""

_PR_SET_NO_NEW_PRIVS = 38  # prctl(2)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DecoderLimits:
    """What a process may take before it is ended; the kernel sees to it."""

    memory_bytes: int
    job_s: float
    """Of the processor's time, for a job of the largest kind."""


class Decoder:
    """The parent's end. Its methods block, and belong to one thread; `kill` is for any."""

    def __init__(self, limits: DecoderLimits) -> None:
        self._limits = limits
        self.jobs = 0
        """How many jobs it has been given."""
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                # -P: what lies in the working directory is not ours to import.
                [
                    sys.executable,
                    "-P",
                    "-m",
                    __name__,
                    str(theirs.fileno()),
                    str(limits.memory_bytes),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # Keys and passwords are nothing for a process that a stranger may take over.
                env=config.child_environment(),
                # Ctrl-C at the terminal is for the parent, which ends its children itself.
                start_new_session=True,
            )
        self._receive(1, None)  # its imports are done: they are not within the first job's time

    @property
    def pid(self) -> int:
        """Give the process's number."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Tell whether the process is gone: a system short of memory kills idle ones too."""
        return self._process.poll() is not None

    def run(self, job: Callable[[], T], share: float = 1) -> Noted[T]:
        """Have a picklable job done that is a share of the largest. What it raises is raised here.

        Raises `TimeoutError` where the process hangs, and `EOFError` or `OSError` where it ended
        or reports nonsense: it is of no further use then, and has to be killed.
        """
        self.jobs += 1
        limit_s = min(self._limits.job_s, LEAST_S + share * self._limits.job_s)
        deadline_s = time.monotonic() + self._limits.job_s * PATIENCE
        self._socket.settimeout(None)
        self._socket.sendall(pickle.dumps((job, limit_s)))
        answer = self._report(job, deadline_s)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _report(self, job: Callable[[], T], deadline_s: float) -> Noted[T] | Exception:
        length = int.from_bytes(self._receive(4, deadline_s))
        if length > MAX_HEAD_BYTES:
            raise ConnectionError("a report without an end")
        text = self._receive(length, deadline_s)
        try:
            # What is made of a picture is smaller than what it is made in.
            head = reports.read_head(text, self._limits.memory_bytes // 2)
            parts = [self._receive(length, deadline_s) for length in head.lengths]
            return reports.read(head, parts, job)
        except (OSError, EOFError):
            raise
        except Exception as error:  # there is no end to what can be wrong
            raise ConnectionError(f"a report that is none: {type(error).__name__}") from error

    def _receive(self, length: int, deadline_s: float | None) -> bytes:
        """Wait for so many bytes. Raises `TimeoutError`, and `EOFError` where there are less."""
        data = bytearray()
        while len(data) < length:
            if deadline_s is not None:
                self._socket.settimeout(max(0.001, deadline_s - time.monotonic()))
            piece = self._socket.recv(min(length - len(data), PIECE_BYTES))
            if not piece:
                raise EOFError("it ended")
            data += piece
        return bytes(data)

    def kill(self) -> None:
        """End the process, at once, and with it a `run` that is under way."""
        self._process.kill()

    def close(self) -> None:
        """Clear away what is left of a process that was killed."""
        self._process.wait()
        self._socket.close()


def noted(job: Callable[[], T]) -> Noted[T]:
    """Do a job and note where its time went."""
    spent_s = timing.begin()
    return job(), spent_s


def step_back() -> None:
    """Let this thread have what others leave of the processors: an answer must not wait for pixels.

    Linux has a priority for each thread (setpriority(2), notes); elsewhere it is the process's.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        before = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(
            os.PRIO_PROCESS, thread, before + NICENESS
        )  # 19 at the most, it sees to that


def serve(parent: socket.socket, memory_bytes: int) -> None:
    """Do one job after the other, for as long as the parent is there."""
    step_back()
    _limit(memory_bytes)
    with contextlib.suppress(EOFError, ConnectionError), parent.makefile("rb") as jobs:
        parent.sendall(b"!")
        while True:
            job, limit_s = pickle.load(jobs)  # noqa: S301 - the parent's
            answer: Noted[object] | Exception
            # The signal ends the process, in the middle of a library's loop as well.
            signal.setitimer(signal.ITIMER_PROF, limit_s)
            try:
                answer = noted(job)
            except Exception as error:  # noqa: BLE001 - it is raised again, in the parent
                answer = error
            signal.setitimer(signal.ITIMER_PROF, 0)
            head, *parts = reports.write(answer)
            for piece in (len(head).to_bytes(4), head, *parts):
                parent.sendall(piece)
            # An error's traceback holds the picture, which the next job's memory is wanted for.
            del job, answer, parts


def _limit(memory_bytes: int) -> None:
    """Give up, for good, what decoding needs nothing of."""
    for kind, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),
    ):
        # Not every system bounds everything (macOS does not bound an address space).
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))
    # Libraries grumble there about each flaw of a file, and our log is not for strangers to write.
    sys.stderr.flush()
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - it has no better name
        os.dup2(nowhere.fileno(), 2)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def end_with(parent: socket.socket) -> None:
    """End this process as soon as the parent is gone, in mid-job too."""
    gone = select.poll()
    gone.register(parent.fileno(), 0)  # hanging up is told unasked
    gone.poll()
    os._exit(0)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as end:
        threading.Thread(target=end_with, args=(end,), daemon=True).start()
        serve(end, int(sys.argv[2]))
