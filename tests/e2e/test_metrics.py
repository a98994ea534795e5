"""What is counted is what happened, whichever process it happened in."""

import os
import re
import resource
import shutil
import signal
import socket
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests import servers
from tests.e2e.steps import Start, eventually, upload
from tests.faults.proxy import PIECE_BYTES, Fault, proxied
from tests.processes import python
from tests.scrape import Admin
from tests.servers import Service

REQUESTS = "asgilook_http_requests_total"
SLOTS = {"RENDER_SLOTS": "1"}
SLOTS_OF_TWO_WORKERS = 2 * 2
"""With the one that each keeps for small pictures."""


@pytest.fixture
def admin() -> Admin:
    return Admin(servers.free_port())


@pytest.fixture
def two_workers(start: Start, folder_settings: dict[str, str], admin: Admin) -> Service:
    service = start({**folder_settings, **SLOTS, **admin.settings}, "--workers", "2")
    assert eventually(lambda: service.log.count("Application startup complete.") == 2)
    return service


def list_images(service: Service, times: int) -> int:
    """Ask, each time over a connection that either worker may take; count the bytes."""
    return sum(len(httpx.get(f"{service.url}/images").content) for _ in range(times))


def slots(admin: Admin) -> float:
    return admin.total("asgilook_render_slots", work="thumbnail")


def test_two_workers_together_have_counted_every_request(
    two_workers: Service, admin: Admin
) -> None:
    sent_bytes = list_images(two_workers, 40)
    assert eventually(lambda: admin.total(REQUESTS, route="/images") == 40)
    assert admin.total(REQUESTS, route="/images", method="GET", code="200") == 40
    assert admin.total("asgilook_http_request_duration_seconds_count", route="/images") == 40
    assert admin.total("asgilook_http_response_bytes_total", route="/images") == sent_bytes
    assert admin.total("asgilook_http_requests_in_progress") == 0
    assert admin.total("asgilook_workers") == 2


def test_what_a_killed_worker_counted_stays_and_what_it_was_at_goes(
    two_workers: Service, admin: Admin
) -> None:
    list_images(two_workers, 40)
    assert eventually(lambda: admin.total(REQUESTS, route="/images") == 40)
    assert eventually(lambda: slots(admin) == SLOTS_OF_TWO_WORKERS)
    [pid, _] = re.findall(r"Started server process \[(\d+)\]", two_workers.log)
    os.kill(int(pid), signal.SIGKILL)
    assert eventually(lambda: two_workers.log.count("Application startup complete.") == 3)
    list_images(two_workers, 10)
    assert eventually(lambda: admin.total(REQUESTS, route="/images") == 50)
    assert eventually(lambda: slots(admin) == SLOTS_OF_TWO_WORKERS)
    assert admin.total("asgilook_workers") == 2


def test_a_service_goes_on_and_ends_well_where_its_numbers_can_no_longer_lie(
    start: Start,
    folder_settings: dict[str, str],
    admin: Admin,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    service = start({**folder_settings, **admin.settings}, "--workers", "2")
    assert eventually(lambda: service.log.count("Application startup complete.") == 2)
    [folder] = temporary.iterdir()
    shutil.rmtree(folder)
    [pid, _] = re.findall(r"Started server process \[(\d+)\]", service.log)
    os.kill(int(pid), signal.SIGKILL)
    assert eventually(lambda: service.log.count("Application startup complete.") == 3)
    assert "this process is not counted: " in service.log
    assert admin.total("asgilook_workers") == 0
    assert servers.stop(service.process) == 0
    assert "Traceback" not in service.log


def test_who_can_open_no_more_files_tells_its_memory_all_the_same(
    two_workers: Service, admin: Admin, client: httpx.Client
) -> None:
    def look() -> float:
        """Have the worker behind the connection look at itself once more, and read what it saw."""
        seen = admin.total(REQUESTS, route="unmatched")
        assert client.get(f"{two_workers.url}/none").status_code == 404
        assert eventually(lambda: admin.total(REQUESTS, route="unmatched") == seen + 1)
        return admin.total("asgilook_worker_rss_bytes")

    before_bytes = look()
    for pid in re.findall(r"Started server process \[(\d+)\]", two_workers.log):
        resource.prlimit(int(pid), resource.RLIMIT_NOFILE, (3, 3))
    look()
    assert look() > before_bytes * 0.75


def test_nobody_can_make_up_series(
    start: Start, folder_settings: dict[str, str], admin: Admin, client: httpx.Client
) -> None:
    service = start({**folder_settings, **admin.settings})
    client.get(f"{service.url}/none")
    client.request("PROPFIND", f"{service.url}/none")
    assert eventually(lambda: admin.total(REQUESTS, route="unmatched") == 2)
    before = admin.series()
    for number in range(100):
        client.get(f"{service.url}/{number}/none-{number}", headers={"host": f"h{number}.test"})
        client.request(("PROPFIND", "MKCOL", "REPORT")[number % 3], f"{service.url}/{number}")
    assert eventually(lambda: admin.total(REQUESTS, route="unmatched") == 202)
    assert admin.total(REQUESTS, route="unmatched", method="other") == 101
    assert admin.series() == before


def test_one_process_tells_of_thumbnails_rendering_and_the_store(
    start: Start,
    s3_settings: dict[str, str],
    redis_settings: dict[str, str],
    admin: Admin,
    client: httpx.Client,
) -> None:
    service = start({**s3_settings, **redis_settings, **admin.settings})
    jpeg = service.url + upload(client, service)["thumbnails"][0]
    webp = jpeg.replace(".jpeg", ".webp")
    for url in (jpeg, webp, webp, jpeg.rpartition("/")[0] + "/7x7.jpeg"):
        client.get(url)
    assert eventually(lambda: admin.total(REQUESTS, route="/images", code="201") == 1)
    looked_up = "asgilook_thumbnail_lookups_total"
    assert eventually(lambda: admin.total(looked_up, result="hit") == 2)
    assert admin.total(looked_up, result="miss") == 1
    assert admin.total(looked_up, result="negative") == 1
    assert admin.total("asgilook_render_duration_seconds_count") == 1
    assert admin.total("asgilook_render_duration_seconds_count", format="webp") == 1
    # The upload's, and the WebP's.
    assert admin.total("asgilook_render_queue_duration_seconds_count") == 2
    assert admin.total("asgilook_s3_request_duration_seconds_count", op="put") >= 2
    assert admin.total("asgilook_s3_errors_total") == 0
    thumbnails = "/thumbnails/{image_id}/{size}.{kind}"
    assert admin.total(REQUESTS, route=thumbnails) == 4


def test_trouble_with_the_store_and_the_cache_is_counted(
    start: Start, admin: Admin, client: httpx.Client
) -> None:
    nowhere = servers.free_port()
    settings = {"S3_BUCKET": "none", "S3_ENDPOINT_URL": f"http://127.0.0.1:{nowhere}"}
    redis = {"REDIS_URL": f"redis://127.0.0.1:{nowhere}/0"}
    service = start({**settings, **redis, **admin.settings})
    image_id = "01a20700-0c73-70a0-a966-46c2bb4b60a8"
    answer = client.get(f"{service.url}/thumbnails/{image_id}/320x200.jpeg")
    assert answer.status_code == 503
    assert eventually(lambda: admin.total("asgilook_s3_errors_total", kind="unavailable") >= 1)
    # Noticed at the start, and looked for ever since.
    assert eventually(lambda: admin.total("asgilook_cache_errors_total", op="ping") >= 2)


def test_an_original_that_the_store_cuts_is_counted(
    start: Start, s3_settings: dict[str, str], admin: Admin, client: httpx.Client
) -> None:
    with proxied(s3_settings["S3_ENDPOINT_URL"]) as store:
        service = start({**s3_settings, **admin.settings, "S3_ENDPOINT_URL": store.url})
        url = service.url + upload(client, service)["image"]
        # It is cut as well, unless the end is there before the beginning was looked at.
        with store.failing(Fault(end_after_bytes=PIECE_BYTES)), suppress(httpx.RemoteProtocolError):
            assert client.get(url).status_code == 502
    assert eventually(lambda: admin.total("asgilook_s3_errors_total", op="read") == 1)


def test_the_public_port_tells_nothing_and_no_other_is_open_unless_wanted(
    start: Start, folder_settings: dict[str, str], client: httpx.Client
) -> None:
    service = start(folder_settings)
    assert client.get(f"{service.url}/metrics").status_code == 404
    assert "metrics on" not in service.log


def test_a_port_that_is_taken_stops_the_start_with_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = told_of_a_start_in_vain(tmp_path, {"ASGI_LOOK_ADMIN_PORT": port})
    assert f"ASGI_LOOK_ADMIN_PORT, 127.0.0.1:{port}: " in told


def test_an_address_of_ipv6_is_told_as_urls_have_it(tmp_path: Path) -> None:
    elsewhere = {"ASGI_LOOK_ADMIN_PORT": "9464", "ASGI_LOOK_ADMIN_HOST": "2001:db8::1"}
    assert "ASGI_LOOK_ADMIN_PORT, [2001:db8::1]:9464: " in told_of_a_start_in_vain(
        tmp_path, elsewhere
    )


def told_of_a_start_in_vain(folder: Path, settings: dict[str, str]) -> str:
    """Give the last line of it."""
    ended = python(folder, "-m", "asgilook", "serve", "--port", "0", settings=settings)
    assert ended.returncode == 1
    return ended.stderr.splitlines()[-1]
