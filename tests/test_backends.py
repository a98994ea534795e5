"""What is not chosen is not imported."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from asgilook import cli
from asgilook.app import create_app
create_app()
print(*({name.partition(".")[0] for name in sys.modules} & {"aiohttp", "botocore", "redis"}))
"""


@pytest.mark.parametrize(
    ("settings", "libraries"),
    [
        ({}, set()),
        ({"REDIS_URL": "redis://127.0.0.1"}, {"redis"}),
        ({"S3_BUCKET": "pictures"}, {"aiohttp", "botocore"}),
        ({"CDN": "varnish", "CDN_URL": "http://127.0.0.1"}, {"aiohttp"}),
    ],
    ids=["folder", "Redis", "bucket", "CDN"],
)
def test_only_libraries_that_are_needed_are_imported(
    settings: dict[str, str], libraries: set[str]
) -> None:
    environment = {f"ASGI_LOOK_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-c", PROGRAM]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert set(told.stdout.split()) == libraries
