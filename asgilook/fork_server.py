"""Where decoders come from: a clean process that forks them, and sees to it that they end."""

import contextlib
import itertools
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass

from asgilook import config, sandbox
from asgilook.sandbox import ANSWER, ORDER


@dataclass(frozen=True, slots=True)
class Forked:
    """A new process, and our end of the pipe to it; nobody else has the other end."""

    number: int
    pid: int
    pipe: socket.socket


class ForkServer:
    """Starts that process, and another one where it is gone. Its methods block, in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket

    def fork(self, memory_bytes: int) -> Forked:
        """Make a process that may take so much memory. Raises `OSError` where none is to be had."""
        number, (ours, theirs) = next(self._numbers), socket.socketpair()
        with theirs, self._lock:
            try:
                pid = self._ask(number, memory_bytes, theirs)
            except OSError:
                self._stop()
                pid = self._ask(number, memory_bytes, theirs)
        if not pid:
            ours.close()
            raise OSError("no process is to be had")
        return Forked(number, pid, ours)

    def end(self, forked: Forked) -> int:
        """End a process, if it has not, and come back when it is gone, with the signal it ended by.

        One that another server forked, which is gone, ends when its pipe does: that signal, like
        that of one which left by itself, is 0.
        """
        forked.pipe.close()
        with self._lock, contextlib.suppress(OSError):
            if self._process:
                return self._ask(forked.number, 0)
        return 0

    def close(self) -> None:
        """End them all."""
        with self._lock:
            self._stop()

    def _ask(self, number: int, memory_bytes: int, *pipes: socket.socket) -> int:
        if not self._process:
            self._start()
        order = ORDER.pack(number, memory_bytes)
        socket.send_fds(self._socket, [order], [pipe.fileno() for pipe in pipes])
        answer = self._socket.recv(ANSWER.size)
        if not answer:
            raise ConnectionError("the fork server ended")
        (told,) = ANSWER.unpack(answer)
        return int(told)

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                # -P: what lies in the working directory is not ours to import.
                [sys.executable, "-P", "-m", sandbox.__name__],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                # Keys and passwords are nothing for a process that a stranger may take over.
                env=config.child_environment(),
                # Ctrl-C at the terminal is for the parent, which ends its children itself. Not a
                # new session: Linux would give that its own share of the processors (sched(7),
                # autogroup), and decoders would no longer give way to answers.
                process_group=0,
            )

    def _stop(self) -> None:
        if self._process:
            self._socket.close()
            self._process.wait()
            self._process = None
