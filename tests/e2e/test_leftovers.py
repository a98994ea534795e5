"""What a killed service leaves among the temporary files goes with the next start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers
from tests.e2e.steps import Start, eventually


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_numbers_of_a_killed_service_go_and_those_of_a_living_one_stay(
    start: Start,
    folder_settings: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    workers: str,
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))

    def started() -> servers.Service:
        port = {"ADMIN_PORT": str(servers.free_port())}
        return start({**folder_settings, **port}, "--workers", workers)

    living, killed = started(), started()
    assert len(list(temporary.iterdir())) == 2
    killed.process.kill()
    killed.process.wait()
    assert len(list(temporary.iterdir())) == 2
    next_one = started()
    assert eventually(lambda: len(list(temporary.iterdir())) == 2)
    for service in (living, next_one):
        servers.stop(service.process)
    assert list(temporary.iterdir()) == []


def test_what_fills_the_disk_goes_with_a_start_that_can_write_nothing(tmp_path: Path) -> None:
    left, port = tmp_path / "asgilook-upload-left", servers.free_port()
    left.write_bytes(b"half a picture")
    command = [sys.executable, "-m", "asgilook", "serve", "--port", str(port)]
    process = subprocess.Popen(
        # To a process it is all the same whether a file may not grow or cannot.
        ["sh", "-c", 'ulimit -f 0 && exec "$@"', "sh", *command],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        url = f"http://127.0.0.1:{port}/images"
        servers.wait_until(lambda: servers.answers(url), "asgilook", process)
        assert not left.exists()
    finally:
        servers.stop(process)
