"""The service as a process: several workers, a polite end, and a sudden one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from uvicorn.config import STARTUP_FAILURE

from tests import servers
from tests.e2e.steps import PATIENCE_S, Start, eventually, upload
from tests.servers import ServiceOptions

WORKERS = [(), ("--workers", "2")]


@contextmanager
def piped(folder: Path, arguments: tuple[str, ...]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a service whose output is a pipe: its end comes when the last process has let go."""
    port = servers.free_port()
    command = [sys.executable, "-m", "asgilook", "serve", "--port", str(port), *arguments]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            servers.wait_until(lambda: servers.answers(f"{url}/healthz"), "asgilook", process)
            with httpx.Client() as client:
                upload(client, servers.Service(url, process, folder))
            yield process
        finally:
            process.kill()


def test_workers_share_a_port_and_a_store(
    start: Start,
    s3_settings: dict[str, str],
    redis_settings: dict[str, str],
    client: httpx.Client,
) -> None:
    service = start({**s3_settings, **redis_settings}, "--workers", "2")
    view = upload(client, service)
    assert eventually(lambda: service.log.count("Application startup complete.") == 2)
    for _ in range(20):
        # Each on a connection of its own, which either worker may take.
        assert httpx.get(f"{service.url}/images").json() == [view]
        thumbnail = httpx.get(f"{service.url}{view['thumbnails'][0]}")
        assert thumbnail.headers["x-asgilook-cache"] == "Hit"


@pytest.mark.parametrize("arguments", WORKERS, ids=" ".join)
def test_there_are_as_many_workers_as_the_command_says_whatever_a_platform_tells_uvicorn(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    told = {"WEB_CONCURRENCY": "4"}
    options = ServiceOptions(tmp_path, arguments=arguments, environment=told)
    count = int(arguments[-1]) if arguments else 1
    with servers.service(options) as service:
        assert eventually(lambda: service.log.count("Application startup complete.") >= count)
        servers.stop(service.process)
        assert service.log.count("Started server process") == count


@pytest.mark.parametrize("arguments", WORKERS, ids=" ".join)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_signal_ends_all_of_it_without_an_error(
    tmp_path: Path, arguments: tuple[str, ...], number: signal.Signals
) -> None:
    with piped(tmp_path, arguments) as process:
        process.send_signal(number)
        output, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
    assert b"Application shutdown complete." in output
    assert b"Traceback" not in output


@pytest.mark.parametrize("arguments", WORKERS, ids=" ".join)
@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- >&- 2>&-"])
def test_a_service_without_standard_streams_serves_and_ends_without_an_error(
    tmp_path: Path, closed: str, arguments: tuple[str, ...]
) -> None:
    port = servers.free_port()
    command = [sys.executable, "-m", "asgilook", "serve", "--port", str(port), *arguments]
    process = subprocess.Popen(["sh", "-c", f'exec "$@" {closed}', "sh", *command], cwd=tmp_path)
    try:
        url = f"http://127.0.0.1:{port}/healthz"
        servers.wait_until(lambda: servers.answers(url), "asgilook", process)
    finally:
        exit_code = servers.stop(process)
    assert exit_code == 0


@pytest.mark.parametrize("arguments", WORKERS, ids=" ".join)
def test_a_sudden_end_leaves_no_process_behind(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with piped(tmp_path, arguments) as process:
        process.kill()
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("arguments", WORKERS, ids=" ".join)
def test_a_start_that_fails_ends_all_of_it_with_an_error(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    settings = {"S3_BUCKET": "pictures", "S3_ENDPOINT_URL": "http://no..name"}
    ended = subprocess.run(
        [sys.executable, "-m", "asgilook", "serve", "--port", "0", *arguments],
        cwd=tmp_path,
        env={**os.environ, **{f"ASGI_LOOK_{name}": value for name, value in settings.items()}},
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == STARTUP_FAILURE
    assert b"Application startup failed." in ended.stderr


def test_the_start_says_where_pictures_go_and_who_may_write(
    start: Start, folder_settings: dict[str, str]
) -> None:
    service = start(folder_settings)
    assert f"pictures in {folder_settings['STORAGE_PATH']}" in service.log
    assert "only this machine may upload" in service.log
    with_keys = start({**folder_settings, "API_KEYS": "0" * 64}, "--workers", "2")
    assert "only this machine may upload" not in with_keys.log
    assert "each worker has a cache of its own" in with_keys.log


def test_a_line_is_logged_for_each_request_unless_not_wanted(
    start: Start, folder_settings: dict[str, str], client: httpx.Client
) -> None:
    talkative = start(folder_settings)
    silent = start(folder_settings, "--no-access-log")
    for service in (talkative, silent):
        client.get(f"{service.url}/images?limit=7")
    assert eventually(lambda: "GET /images 200" in talkative.log)
    servers.stop(silent.process)
    assert "GET /images" not in silent.log
