"""A process that decodes what came from outside, one job at a time, and may be killed for it.

It is an interpreter of its own that imports the codec and nothing else: a child that
`multiprocessing` makes would import the parent's whole program again. It ends by itself when its
parent is gone, however that went and whatever it is at: the parent's end of the pipe closes then.
"""

import contextlib
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from asgilook import timing

PATIENCE = 5
"""How many times its processor time a job may take by the clock: the machine may be busy."""

T = TypeVar("T")
Noted = tuple[T, dict[str, float]]
"""What a job gives, and the seconds that it spent on what."""


@dataclass(frozen=True, slots=True)
class DecoderLimits:
    """What a process may take before it is ended; the kernel sees to it."""

    memory_bytes: int
    job_s: float
    """Of the processor's time, for each job."""


class Decoder:
    """The parent's end. Its methods block, and belong to one thread; `kill` is for any."""

    def __init__(self, limits: DecoderLimits) -> None:
        self._limits = limits
        self.jobs = 0
        """How many jobs it has been given."""
        ours, theirs = socket.socketpair()
        with theirs:
            numbers = (theirs.fileno(), limits.memory_bytes, limits.job_s)
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                # -P: what lies in the working directory is not ours to import.
                [sys.executable, "-P", "-m", __name__, *map(str, numbers)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # Ctrl-C at the terminal is for the parent, which ends its children itself.
                start_new_session=True,
            )
        self._pipe: Connection[Any, Any] = Connection(ours.detach())
        self._pipe.recv()  # its imports are done: they are not within the first job's time

    @property
    def pid(self) -> int:
        """Give the process's number."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Tell whether the process is gone: a system short of memory kills idle ones too."""
        return self._process.poll() is not None

    def run(self, job: Callable[[], T]) -> Noted[T]:
        """Have a picklable job done. What it raises is raised here.

        Raises `TimeoutError` where the process hangs, and `EOFError` or `OSError` where it ended:
        it is of no further use then, and has to be killed.
        """
        self.jobs += 1
        self._pipe.send(job)
        if not self._pipe.poll(self._limits.job_s * PATIENCE):
            raise TimeoutError("it hangs")
        answer: Noted[T] | Exception = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def kill(self) -> None:
        """End the process, at once, and with it a `run` that is under way."""
        self._process.kill()

    def close(self) -> None:
        """Clear away what is left of a process that was killed."""
        self._process.wait()
        self._pipe.close()


def noted(job: Callable[[], T]) -> Noted[T]:
    """Do a job and note where its time went."""
    spent_s = timing.begin()
    return job(), spent_s


def serve(pipe: "Connection[Any, Any]", limits: DecoderLimits) -> None:
    """Do one job after the other, for as long as the parent is there."""
    _limit_memory(limits.memory_bytes)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            job = pipe.recv()
            answer: Noted[Any] | Exception
            # The signal ends the process, in the middle of a library's loop as well.
            signal.setitimer(signal.ITIMER_PROF, limits.job_s)
            try:
                answer = noted(job)
            except Exception as error:  # noqa: BLE001 - it is raised again, in the parent
                answer = error
            signal.setitimer(signal.ITIMER_PROF, 0)
            pipe.send(answer)
            # An error's traceback holds the picture, which the next job's memory is wanted for.
            del job, answer


def _limit_memory(limit_bytes: int) -> None:
    # Not every system bounds an address space (macOS does not).
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def end_with(parent: "Connection[Any, Any]") -> None:
    """End this process as soon as the parent is gone, in mid-job too."""
    gone = select.poll()
    gone.register(parent.fileno(), 0)  # hanging up is told unasked
    gone.poll()
    os._exit(0)


if __name__ == "__main__":
    import asgilook.codec  # noqa: F401 - now, not within the first job's time

    with Connection(int(sys.argv[1])) as parent:
        threading.Thread(target=end_with, args=(parent,), daemon=True).start()
        parent.send("ready")
        serve(parent, DecoderLimits(int(sys.argv[2]), float(sys.argv[3])))
