"""Crashes and races as often as wanted: `python -m tests.durability --crashes 50 --races 1000`."""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import time_ns

from tests import servers
from tests.durability import crashes, races
from tests.e2e.steps import starting

BUCKETS = ("crashes", "races")


def main() -> None:
    """Run both, on real servers; whatever goes wrong is an AssertionError."""
    parser = argparse.ArgumentParser(prog="python -m tests.durability", description=main.__doc__)
    parser.add_argument("--crashes", type=int, default=20, metavar="N")
    parser.add_argument("--races", type=int, default=1000, metavar="N")
    parser.add_argument("--seed", type=int, default=time_ns())
    wanted = parser.parse_args()
    _say(f"seed {wanted.seed}")
    os.environ.update(servers.AWS_ENVIRONMENT)
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.seaweedfs(Path(folder)) as s3_url,
        servers.valkey() as redis_url,
    ):
        place = Path(folder)
        for bucket in BUCKETS:
            servers.make_bucket(s3_url, bucket)
        on_s3 = {"S3_BUCKET": "crashes", "S3_ENDPOINT_URL": s3_url}
        for settings in ({"STORAGE_PATH": f"{folder}/pictures"}, on_s3):
            _crash(place, settings, wanted.crashes, wanted.seed)
        asyncio.run(_race(place, s3_url, redis_url, wanted.races, wanted.seed))


def _crash(folder: Path, settings: Mapping[str, str], count: int, seed: int) -> None:
    with starting(folder) as start:
        ledger = crashes.crash_again_and_again(start, dict(settings), count, seed)
    store = "S3" if "S3_BUCKET" in settings else "folder"
    _say(
        f"{count} crashes on {store}: {len(ledger.made)} images made, {len(ledger.deleted)} "
        f"deleted, {len(ledger.unsure)} deletions unanswered; nothing lost"
    )


async def _race(folder: Path, s3_url: str, redis_url: str, count: int, seed: int) -> None:
    with starting(folder) as start:
        async with races.fleet(start, s3_url, "races", redis_url) as fleet:
            outcome = await races.race(fleet, count, seed)
            await races.verify(fleet, outcome)
    for line in outcome.lines():
        _say(line)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - it is a report


if __name__ == "__main__":
    main()
