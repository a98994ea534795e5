"""`python -m tests.faults`, which is what `make faults` runs."""

import asyncio
import os
import sys
from itertools import groupby

import click

from tests import servers
from tests.faults import report
from tests.faults.outage import Outcome, suffer
from tests.faults.rows import ROWS
from tests.faults.sections import SECTIONS
from tests.faults.site import site


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--only", default="", metavar="TEXT", help="Only faults with this in their name.")
def main(only: str) -> None:
    """Let everything fail that a service needs, one after the other, and write what clients saw.

    Ends with 1 where a promise was broken. The report is kept only when all faults were tried.
    """
    os.environ.update(servers.AWS_ENVIRONMENT)
    rows = [row for row in ROWS if only in row.name]
    titles = [title for title in SECTIONS if only in title]
    if not rows and not titles:
        raise click.UsageError("no fault has this in its name")
    outcomes = []
    for plan, group in groupby(rows, lambda row: row.plan):
        with site(plan) as place:
            for row in group:
                outcomes.append(asyncio.run(suffer(place, row)))
                click.echo(_line(outcomes[-1], len(outcomes), len(rows)), err=True)
    sections = [SECTIONS[title]() for title in titles]
    text = report.spelled(outcomes, sections)
    if only:
        click.echo(text)
    else:
        report.PATH.write_text(text)
    click.echo(report.summary(outcomes, sections))
    sys.exit(not report.is_kept(outcomes, sections))


def _line(outcome: Outcome, number: int, count: int) -> str:
    broken = ", ".join(outcome.broken())
    return f"{number}/{count} {outcome.row.name}: {broken or 'as promised'}"


if __name__ == "__main__":
    main()
