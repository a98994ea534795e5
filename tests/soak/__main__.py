"""`python -m tests.soak`, which is what `make soak` runs."""

import asyncio
import csv
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import astuple
from pathlib import Path
from random import randrange

import click
import httpx

from tests import servers
from tests.faults.wishes import SETTINGS
from tests.soak.curve import Sample, names, sample, trends
from tests.soak.traffic import Traffic

BUCKET = "soak"
SAMPLES = 200
CACHE_BYTES = 4 * 1024 * 1024
"""Of the memory cache: it is full long before the warm-up is over."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--minutes", default=10.0, show_default=True, type=click.FloatRange(min=0.2), help="How long."
)
@click.option("--seed", default=lambda: randrange(10**6), help="Of the clients' choices.")
@click.option("--csv", "path", type=click.Path(path_type=Path), help="Keep all samples there too.")
def main(minutes: float, seed: int, path: Path | None) -> None:
    """Let clients do all they can for a while, and look what the service holds meanwhile.

    It runs on a real S3 and Redis. Draws memory (PSS), open files, threads and processes of all of
    its processes over time; ends with 1 where one of them still grows after the first third, or
    where an answer was a 500.
    """
    click.echo(f"seed {seed}")
    os.environ.update(servers.AWS_ENVIRONMENT)
    with tempfile.TemporaryDirectory() as root, ExitStack() as running:
        s3_url = running.enter_context(servers.seaweedfs(Path(root)))
        servers.make_bucket(s3_url, BUCKET)
        settings = {
            **SETTINGS,
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT_URL": s3_url,
            "REDIS_URL": running.enter_context(servers.valkey()),
            "MEMORY_CACHE_BYTES": str(CACHE_BYTES),
        }
        options = servers.ServiceOptions(Path(root), settings, ("--no-access-log",))
        service = running.enter_context(servers.service(options))
        samples, traffic = asyncio.run(_live(service, minutes * 60, seed))
    if path:
        _write(path, samples)
    sys.exit(_report(samples, traffic))


async def _live(
    service: servers.Service, seconds: float, seed: int
) -> tuple[list[Sample], Traffic]:
    async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
        traffic, samples = Traffic(client, seed), []
        await traffic.open_up()
        start_s = time.monotonic()
        living = asyncio.create_task(traffic.run())
        with click.progressbar(range(SAMPLES), label="soak", file=sys.stderr) as progress:
            for _ in progress:
                await asyncio.wait([living], timeout=seconds / SAMPLES)
                if living.done():
                    living.result()
                now_s = time.monotonic() - start_s
                samples.append(await asyncio.to_thread(sample, service.process.pid, now_s))
        living.cancel()
        await asyncio.wait([living])
    return samples, traffic


def _write(path: Path, samples: list[Sample]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names(), *map(astuple, samples)])


def _report(samples: list[Sample], traffic: Traffic) -> int:
    for kind, answers in sorted(traffic.answers.items()):
        click.echo(f"{kind:24} {dict(sorted(answers.items()))}")
    found = trends(samples)
    for trend in found:
        click.echo(str(trend))
    failures = sum(answers["500"] for answers in traffic.answers.values())
    growing = [trend.name for trend in found if not trend.is_flat]
    requests = sum(answers.total() for answers in traffic.answers.values())
    click.echo(
        f"{requests} requests in {samples[-1].time_s / 60:.1f} minutes, {failures} failures; "
        f"grows: {', '.join(growing) or 'nothing'}"
    )
    return 1 if failures or growing else 0


if __name__ == "__main__":
    main()
