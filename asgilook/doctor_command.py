"""`asgilook doctor`: a line for each thing that was looked at, and how to mend what is wrong."""

import asyncio
import json
import sys
from collections import Counter
from dataclasses import asdict

import click

from asgilook import config
from asgilook.backends import make_store
from asgilook.doctor import Finding, Level, examine
from asgilook.doctor.findings import fail, ok
from asgilook.errors import ConfigError


@click.command()
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="How many processes are to share this machine.",
)
@click.option("--strict", is_flag=True, help="Let warnings count as failures.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects instead.")
def doctor(workers: int, *, strict: bool, as_json: bool) -> None:
    """Look whether the service would work here, and say how to mend what would not.

    Tries the bucket or folder with an object of its own, below `doctor/`, and removes it. Ends with
    1 if anything failed.
    """
    findings = _findings(workers)
    counts = Counter(finding.level for finding in findings)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        click.echo("\n".join(map(str, findings)))
        click.echo(f"{counts[Level.OK]} ok, {counts[Level.WARN]} warn, {counts[Level.FAIL]} FAIL")
    sys.exit(bool(counts[Level.FAIL] or (strict and counts[Level.WARN])))


def _findings(workers: int) -> list[Finding]:
    try:
        settings = config.load()
    except ConfigError as error:
        mend = "set it right, or not at all; the README lists the settings"
        return [fail("settings", line, mend) for line in str(error).splitlines()]
    settled = ok("settings", "each by itself is right")
    return [settled, *asyncio.run(examine(settings, make_store(settings), workers))]
