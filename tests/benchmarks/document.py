"""The report: everything that was measured, for whoever reads it on a page."""

from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks import chart
from tests.benchmarks.report import Part, table

HERE = Path(__file__).parent
REPORT = HERE / "REPORT.md"
CHART = HERE / "report.png"
NOT_REACHED = HERE / "not-reached.md"

_HEAD = """\
# How fast it is

`make bench` measured this and wrote it; `make bench ONLY=cold,hits` measures parts of it anew.

![The figures below, drawn](report.png)

All sides of a row work in turn in the same run, on the same pictures, and each round begins with
another side: a ratio is the median of the rounds' ratios, ours by theirs, beside its range. Where
answers were waited for, their p50 and p99 stand in parentheses. The last column is the time of the
processor that one took, ours / theirs (and how many times ours theirs is), all processes of a
service together: it stays true on a machine that others use as well, where more threads get more.

The pictures are eight photographs of Debian's `lomiri-wallpapers-16.04`, cut to 2560x1600 (or to
6000x4000, for memory). The load comes from `load.py`: one process, uvloop, keep-alive connections,
a question at a time each. The others are set up as their documentation says for production, to the
same sizes and quality (but for AVIF, where ours goes by likeness: its 66 is as like the picture as
a JPEG of 80), and keep nothing where the work is to be cold: thumbor in two processes, with
baseline JPEGs where its default is progressive ones; sharp behind `node:http`; ipx; and the 2019
tutorial's design, in `peers/`.
"""


def write(parts: Mapping[str, Part]) -> None:
    """Write the page and its picture."""
    aimed = [row for part in parts.values() for row in part.rows if row.target]
    pieces = [_HEAD, "## What it is meant to reach", table(aimed)]
    if NOT_REACHED.exists():
        pieces.append(NOT_REACHED.read_text().strip())
    for name, part in parts.items():
        pieces += [f"## {name.capitalize()}", f"{part.when}: {part.machine}."]
        pieces += [table(part.rows)] if part.rows else []
        pieces += part.notes
    REPORT.write_text("\n\n".join(piece.strip() for piece in pieces) + "\n")
    chart.draw(parts, CHART)
