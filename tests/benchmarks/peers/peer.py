"""A service that makes thumbnails of a folder's pictures, running."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asgilook.image import Format, Size
from tests import servers
from tests.benchmarks.load import Question
from tests.benchmarks.peers.programs import PROGRAMS


@dataclass(frozen=True, slots=True)
class Peer:
    """One of them; asgilook counts as well."""

    name: str
    url: str
    pid: int
    template: str

    def thumbnail(self, picture: str, size: Size, kind: Format = Format.JPEG) -> Question:
        """Ask for a picture, named as it lies in the folder, in a size and a format."""
        path = self.template.format(name=picture, size=size, kind=kind)
        return Question(self.url + path)


@contextlib.contextmanager
def serving(name: str, folder: Path, *more: str) -> Iterator[Peer]:
    """Run a program of `PROGRAMS` on a folder, with more arguments where it takes some."""
    program = PROGRAMS[name]
    port = servers.free_port()
    with (folder.parent / f"{name}-{port}.log").open("wb") as log:
        command = [*program.command(folder, port), *more]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        servers.wait_until(lambda: servers.answers(url), name, process)
        yield Peer(name, url, process.pid, program.template)
    finally:
        # thumbor's parent leaves its children behind.
        os.killpg(process.pid, signal.SIGTERM)
        servers.stop(process)
