"""`kill -9` at any moment leaves whole images, and nothing listed that is not."""

import os
import subprocess
import sys

import pytest

from tests.durability.crashes import crash_again_and_again
from tests.e2e.steps import Start

ROUNDS = 3


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_a_server_that_is_killed_loses_nothing_that_it_promised(
    start: Start, request: pytest.FixtureRequest, kind: str
) -> None:
    settings: dict[str, str] = request.getfixturevalue(f"{kind}_settings")
    ledger = crash_again_and_again(start, settings, ROUNDS, seed=20261125)
    assert ledger.made
    assert ledger.deleted
    # What is left is mended, and nothing of what was promised is lost by that.
    assert _fsck(settings, "--repair").returncode == 0
    clean = _fsck(settings)
    assert clean.returncode == 0, clean.stdout


def _fsck(settings: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {f"ASGI_LOOK_{name}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "asgilook", "fsck", "--older-than", "0", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
