"""The outcomes as a table for people, kept under version control."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.faults.outage import Outcome
from tests.faults.rows import GOOD

PATH = Path(__file__).with_name("REPORT.md")

_INTRODUCTION = """\
# What clients see while something fails

Made by `make faults`: a real service (`asgilook serve`, with its defaults) on SeaweedFS and Valkey,
both behind a proxy that fails. Clients ask for a thumbnail that is in the cache (`hit`, `304`), for
one that is not (`miss`), for an original and the listing; they upload, delete, and ask `/readyz`,
each again and again. A cell tells the answers and how often they came; `cut` is one that broke off.
`worst` is the longest that anybody waited, `after` how long it took until everything was well again
when the fault was over, and `files` what the service had open before and after, sockets included.
"""


def table(outcomes: Sequence[Outcome]) -> str:
    """Spell the report."""
    return "\n".join([_INTRODUCTION, *_lines(outcomes), ""])


def summary(outcomes: Sequence[Outcome]) -> str:
    """Say in a line how many promises were kept."""
    kept = sum(not list(outcome.broken()) for outcome in outcomes)
    worst_s = max(outcome.recovered_s for outcome in outcomes)
    return (
        f"{kept} of {len(outcomes)} faults are as promised; all was well again after {worst_s:.1f}"
        " s at the most."
    )


def _lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield summary(outcomes)
    heads = ["fault", *GOOD, "worst, s", "after, s", "files", "as promised"]
    yield f"\n| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    yield from (_row(outcome) for outcome in outcomes)
    yield "\nWhat is promised:\n"
    for words in dict.fromkeys(outcome.row.promise.words for outcome in outcomes):
        names = [each.row.name for each in outcomes if each.row.promise.words == words]
        yield f"- {words}: {'; '.join(names)}"


def _row(outcome: Outcome) -> str:
    answers = (
        ", ".join(f"{answer} x{count}" for answer, count in sorted(told.answers.items()))
        for told in outcome.told.values()
    )
    before, after = outcome.open_files
    broken = ", ".join(outcome.broken())
    cells = [
        outcome.row.name,
        *answers,
        f"{outcome.worst_s:.1f}",
        f"{outcome.recovered_s:.1f}",
        f"{before}, {after}",
        f"**no**: {broken}" if broken else "yes",
    ]
    return f"| {' | '.join(cells)} |"
