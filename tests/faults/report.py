"""The outcomes as a table for people, kept under version control."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.faults.outage import Outcome
from tests.faults.rows import GOOD
from tests.faults.sections import Section

PATH = Path(__file__).with_name("REPORT.md")

_INTRODUCTION = """\
# What clients see while something fails

Made by `make faults`: a real service (`asgilook serve`, with its defaults) on SeaweedFS and Valkey,
both behind a proxy that fails. Clients ask for a thumbnail that is in the cache (`hit`, `304`), for
one that is not (`miss`), for an original and the listing; they upload, delete, and ask `/readyz`,
each again and again. A cell tells the answers and how often they came; `cut` is one that broke off.
Where Redis fails, a client first asks for one thing after the other; `slow` counts how often it
waited for more than 0.25 s. `worst` is the longest that anybody waited, `after` how long it took
until everything was well again when the fault was over, and `files` what the service had open
before and after, sockets included; nothing may be under way any more that nobody waits for.
"""


def spelled(outcomes: Sequence[Outcome], sections: Sequence[Section]) -> str:
    """Spell the report."""
    lines = [_INTRODUCTION, summary(outcomes, sections)]
    if outcomes:
        lines += _table(outcomes)
    for section in sections:
        lines += _section(section)
    return "\n".join([*lines, ""])


def summary(outcomes: Sequence[Outcome], sections: Sequence[Section]) -> str:
    """Say in a line how many promises were kept."""
    kept = sum(not list(outcome.broken()) for outcome in outcomes)
    kept += sum(section.is_kept for section in sections)
    worst_s = max((outcome.recovered_s for outcome in outcomes), default=0)
    return (
        f"{kept} of {len(outcomes) + len(sections)} faults are as promised; all was well again "
        f"after {worst_s:.1f} s at the most."
    )


def is_kept(outcomes: Sequence[Outcome], sections: Sequence[Section]) -> bool:
    """Tell whether all was as promised."""
    return not any(list(outcome.broken()) for outcome in outcomes) and all(
        section.is_kept for section in sections
    )


def _table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    heads = ["fault", *GOOD, "slow", "worst, s", "after, s", "files", "seen", "as promised"]
    yield f"\n| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    yield from (_row(outcome) for outcome in outcomes)
    yield "\nWhat is promised:\n"
    for words in dict.fromkeys(outcome.row.promise.words for outcome in outcomes):
        names = [each.row.name for each in outcomes if each.row.promise.words == words]
        yield f"- {words}: {'; '.join(names)}"


def _section(section: Section) -> Iterator[str]:
    yield f"\n## {section.title}\n"
    kept = "yes" if section.is_kept else "**no**"
    yield f"What is promised: {section.promise}. As promised: {kept}.\n"
    yield from ("```", *section.lines, "```")


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
        "" if outcome.slow is None else str(outcome.slow),
        f"{outcome.worst_s:.1f}",
        f"{outcome.recovered_s:.1f}",
        f"{before}, {after}",
        "; ".join(outcome.seen),
        f"**no**: {broken}" if broken else "yes",
    ]
    return f"| {' | '.join(cells)} |"
