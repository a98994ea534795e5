"""A process that works on pictures, one job at a time, and may be killed for it.

What runs in it is `sandbox.py`. It ends with its parent, however that goes and whatever it is at.
"""

import contextlib
import pickle
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from asgilook import reports
from asgilook.errors import AsgilookError
from asgilook.fork_server import ForkServer
from asgilook.reports import MAX_HEAD_BYTES, Noted

LEAST_S = 1.5
"""The processor's time that any job gets."""

PATIENCE_S = 60
"""How long a job may take by the clock, unless it may take half as much of a processor. That is
bounded already, by the kernel: so it is the machine that is too busy."""

SPARE_BYTES = 64 * 1024 * 1024
"""What a job may take of memory beyond what it is said to cost: a thread's stack, say."""

PIECE_BYTES = 256 * 1024
"""What is received at once: memory is taken for what came, not for what was announced."""

T = TypeVar("T")


class NoReportError(ConnectionError):
    """What a decoder said is no report: it may be the stranger's whose file it has opened."""


@dataclass(frozen=True, slots=True)
class DecoderKind:
    """What processes are for, and what each may take before it is ended; the kernel sees to it."""

    name: str
    memory_bytes: int
    job_s: float
    """Of the processor's time, for a job of the largest kind."""
    lost: Callable[[], AsgilookError]
    """Makes what is raised where a job takes its process down, or is reported in nonsense."""
    first: Callable[[], object] | None = None
    """A job for a new process, to get it ready."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a job may take of what its kind of process may."""

    share: float = 1
    """Of the time for the largest."""
    memory_bytes: int | None = None
    """What it is said to cost; all there is where nothing is said."""


class Decoder:
    """The parent's end. Its methods block, and belong to one thread; `hang_up` is for any."""

    def __init__(self, server: ForkServer, kind: DecoderKind) -> None:
        self._server = server
        self._kind = kind
        self._forked = server.fork(kind.memory_bytes)
        self._pipe = self._forked.pipe
        self.jobs = 0
        """How many jobs it has been given."""

    def get_ready(self) -> None:
        """Have its first job done. Raises as `run` does."""
        if self._kind.first:
            self.run(self._kind.first)

    @property
    def pid(self) -> int:
        """Give the process's number."""
        return self._forked.pid

    @property
    def has_ended(self) -> bool:
        """Tell whether the process is gone: a system short of memory kills idle ones too.

        While it has nothing to do it says nothing, so what there is to be read is the end.
        """
        if self._pipe.fileno() < 0:
            return True
        said = select.poll()
        said.register(self._pipe, select.POLLIN)
        return bool(said.poll(0))

    def run(self, job: Callable[[], T], bounds: Bounds = Bounds()) -> Noted[T]:
        """Have a picklable job done within bounds. What it raises is raised here.

        Raises `TimeoutError` where it does not come to an end, `EOFError` or `OSError` where it
        ended too early, and `NoReportError`: it is of no further use then, and has to be killed.
        """
        self.jobs += 1
        limit_s = min(self._kind.job_s, LEAST_S + bounds.share * self._kind.job_s)
        patience_s = max(PATIENCE_S, 2 * limit_s)
        deadline_s = time.monotonic() + patience_s
        self._pipe.settimeout(patience_s)
        self._send(job, limit_s, bounds.memory_bytes)
        answer = self._report(job, deadline_s)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _send(self, job: Callable[[], T], limit_s: float, cost_bytes: int | None) -> None:
        """Send a job, and as they are, without a copy, the `PickleBuffer`s in it."""
        limit_bytes = self._kind.memory_bytes if cost_bytes is None else cost_bytes + SPARE_BYTES
        parts: list[pickle.PickleBuffer] = []
        spelled = pickle.dumps(job, protocol=5, buffer_callback=parts.append)
        bodies = [part.raw() for part in parts]
        self._pipe.sendall(pickle.dumps((limit_s, limit_bytes, [body.nbytes for body in bodies])))
        for body in bodies:
            self._pipe.sendall(body)
        self._pipe.sendall(spelled)

    def _report(self, job: Callable[[], T], deadline_s: float) -> Noted[T] | Exception:
        length = int.from_bytes(self._receive(4, deadline_s))
        if length > MAX_HEAD_BYTES:
            raise NoReportError("a report without an end")
        text = self._receive(length, deadline_s)
        try:
            # What is made of a picture is smaller than what it is made in.
            head = reports.read_head(text, self._kind.memory_bytes // 2)
            parts = [self._receive(length, deadline_s) for length in head.lengths]
            return reports.read(head, parts, job)
        except (OSError, EOFError):
            raise
        except Exception as error:  # there is no end to what can be wrong
            raise NoReportError(repr(error)) from error

    def _receive(self, length: int, deadline_s: float) -> bytes:
        """Wait for so many bytes. Raises `TimeoutError`, and `EOFError` where there are less."""
        data = bytearray()
        while len(data) < length:
            self._pipe.settimeout(max(0.001, deadline_s - time.monotonic()))
            piece = self._pipe.recv(min(length - len(data), PIECE_BYTES))
            if not piece:
                raise EOFError("it ended")
            data += piece
        return bytes(data)

    def hang_up(self) -> None:
        """End a `run` that is under way: it hears no more."""
        with contextlib.suppress(OSError):
            self._pipe.shutdown(socket.SHUT_RDWR)

    def close(self) -> int:
        """End the process, and come back when it is gone, with the signal that it ended by."""
        return self._server.end(self._forked)
