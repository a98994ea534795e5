"""`asgilook doctor` at the settings, and as scripts and people see it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from asgilook.cli import main
from tests.doctor.reports import report, wrong

KEY = "0" * 64
SHARED = {"API_KEYS": KEY, "TRUSTED_PROXIES": "10.0.0.0/8"}


@pytest.fixture(autouse=True)
def _in_a_folder(folder: Path) -> None:
    """Let what is made in the working directory go with the test."""


def test_out_of_the_box_nothing_is_wrong() -> None:
    code, found = report("--strict")
    assert (code, wrong(found, "")) == (0, set())


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (SHARED, set()),
        ({"API_KEYS": KEY}, {"ASGI_LOOK_TRUSTED_PROXIES"}),
        (SHARED | {"IDLE_TIMEOUT": "60"}, {"ASGI_LOOK_IDLE_TIMEOUT"}),
        (SHARED | {"IDLE_TIMEOUT": "120"}, {"ASGI_LOOK_IDLE_TIMEOUT"}),
        (SHARED | {"RENDER_SLOTS": "256"}, {"ASGI_LOOK_RENDER_SLOTS"}),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_are_warned_of(settings: dict[str, str], told: set[str]) -> None:
    code, found = report(**settings)
    assert (code, wrong(found, "ASGI_LOOK")) == (0, told)
    assert report("--strict", **settings)[0] == bool(told)


def test_a_shared_store_that_nobody_may_write_is_warned_of(redis_url: str) -> None:
    _, found = report(REDIS_URL=redis_url)
    assert found["ASGI_LOOK_API_KEYS"][0] == "warn"


def test_idle_times_that_are_longer_are_named() -> None:
    _, found = report(IDLE_TIMEOUT="70")
    assert "no longer than CloudFront (120 s)" in found["ASGI_LOOK_IDLE_TIMEOUT"][1]
    assert "nginx" not in found["ASGI_LOOK_IDLE_TIMEOUT"][1]


def test_more_workers_need_more_memory() -> None:
    code, found = report("--workers", "64")
    assert (code, found["memory"][0]) == (1, "FAIL")


def test_wrong_settings_are_told_by_name_and_nothing_else_is_looked_at() -> None:
    environment = {"ASGI_LOOK_CACHE_TTL": "for ever", "ASGI_LOOK_CACHE_TIL": "7"}
    result = CliRunner().invoke(main, ["doctor"], env=environment)
    *told, summary = result.stdout.splitlines()
    assert (result.exit_code, summary) == (1, "0 ok, 0 warn, 2 FAIL")
    assert [line.startswith("FAIL  settings") for line in told] == [True, True]
    assert "ASGI_LOOK_CACHE_TIL is not a setting" in told[0]
    assert "ASGI_LOOK_CACHE_TTL: " in told[1]


def test_people_get_a_line_for_each_thing() -> None:
    result = CliRunner().invoke(main, ["doctor"])
    *told, summary = result.stdout.splitlines()
    assert summary == f"{len(told)} ok, 0 warn, 0 FAIL"
    assert [line.partition("  ")[0].strip() for line in told] == ["ok"] * len(told)


WITHOUT_A_FILE = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from asgilook.cli import main
main(["doctor", "--json"])
"""


def test_where_no_file_can_be_written_that_is_told() -> None:
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_A_FILE], capture_output=True, text=True, check=False
    )
    assert told.returncode == 1, told.stderr
    levels = {each["what"]: each["level"] for each in json.loads(told.stdout)}
    assert levels["temporary files"] == levels["folder create"] == "FAIL"
