"""The outcomes as a table for people, kept under version control."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tests.fidelity.judge import Outcome

PATH = Path(__file__).with_name("REPORT.md")

_INTRODUCTION = """\
# What becomes of each kind of picture

Made by `make fidelity`: each picture is made up with known colours, uploaded, and all that is
served of it is held against the truth; the suite fails where this page is not what comes out now.

- **size**: the JSON, the original and every thumbnail have the size that they say.
- **upright**: no turning or mirroring of the original is nearer to the truth.
- **max**, **mean**: how far the original's colours are from the truth, patch by patch (CIEDE2000;
  1 is just to be seen, the limit for the mean is 3).
- **small**: the worst mean of the thumbnails, signed ones included.
- **silent**: nothing that is served holds EXIF, XMP, IPTC, a comment, a thumbnail, a profile, or
  the payload that came with the picture.
"""


def table(outcomes: Iterable[Outcome]) -> str:
    """Spell the report."""
    return "\n".join([_INTRODUCTION, *_lines(list(outcomes)), ""])


def summary(outcomes: list[Outcome]) -> str:
    """Say in a line how many are right."""
    right = sum(outcome.is_right for outcome in outcomes)
    worst = max(outcome.mean_error for outcome in outcomes)
    return f"{right} of {len(outcomes)} kinds are right; the worst mean is {worst:.1f}."


def rows(text: str) -> dict[str, list[str]]:
    """Read the cells of a report, by the kind's name."""
    lines = re.findall(r"(?m)^\| (.+?) \| (.+) \|$", text)
    return {name: cells.split(" | ") for name, cells in lines if not name.startswith("-")}


def _lines(outcomes: list[Outcome]) -> Iterator[str]:
    yield summary(outcomes)
    for group, members in groupby(outcomes, lambda outcome: outcome.kind.group):
        yield f"\n## {group.capitalize()}\n"
        yield "| kind | size | upright | max | mean | small | silent |"
        yield "|---|---|---|---|---|---|---|"
        yield from (_row(outcome) for outcome in members)


def _row(outcome: Outcome) -> str:
    cells = [
        outcome.kind.name,
        _yes(outcome.is_size_right),
        _yes(outcome.is_upright),
        f"{outcome.max_error:.1f}",
        f"{outcome.mean_error:.1f}",
        f"{outcome.thumbnail_error:.1f}",
        _yes(outcome.is_silent),
    ]
    return f"| {' | '.join(cells)} |"


def _yes(answer: bool) -> str:  # noqa: FBT001 - it is the answer itself
    return "yes" if answer else "**no**"
