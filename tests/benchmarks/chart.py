"""What was measured, drawn: four panels in one picture."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

from tests.benchmarks.report import Bound, Part, Row

OURS = "asgilook"
COLOURS = {
    OURS: "#e4572e",
    "thumbor": "#2e86ab",
    "sharp": "#58a55c",
    "ipx": "#a3c76d",
    "tutorial": "#b8b8b8",
}
INK = "#333333"
WIDEST = 2
"""What a busy machine makes of a ratio now and then is cut off here."""
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": "#cccccc",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "xtick.color": INK,
    "ytick.color": INK,
}


def draw(parts: Mapping[str, Part], path: Path) -> None:
    """Draw what is there."""
    rows = [row for part in parts.values() for row in part.rows]
    mpl.use("Agg")  # no window
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(13, 9.5), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.15, h_pad=0.15, hspace=0.06, wspace=0.05)
        _bars(axes[0][0], rows, "cold ladder", "Cold ladders a second (all sizes of a new image)")
        _groups(axes[0][1], rows)
        _yardsticks(axes[1][0], rows)
        _bars(axes[1][1], rows, "memory at the peak", "Memory at the peak, MB (less is better)")
        figure.savefig(path, dpi=110, facecolor="white")
        plt.close(figure)


def _values(rows: Sequence[Row], work: str) -> dict[str, float]:
    """Collect what everyone did of one piece of work, ours first."""
    found: dict[str, float] = {}
    for row in rows:
        if row.work == work:
            found[OURS] = statistics.median(row.ours.values)
            found[row.peer] = statistics.median(row.theirs.values)
    return found


def _bars(axes: Any, rows: Sequence[Row], work: str, title: str) -> None:
    found = _values(rows, work)
    names = list(found)[::-1]
    bars = axes.barh(
        names, [found[name] for name in names], color=[COLOURS[name] for name in names], height=0.66
    )
    axes.bar_label(bars, [f"{found[name]:,.3g}" for name in names], padding=5, fontweight="bold")
    axes.set_title(title)
    axes.margins(x=0.12)
    _plain(axes)


def _groups(axes: Any, rows: Sequence[Row]) -> None:
    works = list(dict.fromkeys(row.work for row in rows if row.work.startswith("cold jpeg")))
    width = 0.17
    for number, name in enumerate(COLOURS):
        heights = [_values(rows, work).get(name, 0) for work in works]
        places = [place + (number - 2) * width for place in range(len(works))]
        bars = axes.bar(places, heights, width * 0.9, color=COLOURS[name], label=name)
        weight = "bold" if name == OURS else "normal"
        axes.bar_label(bars, fmt="%.0f", padding=2, fontsize=8, fontweight=weight)
    axes.set_xticks(range(len(works)), [work.removeprefix("cold jpeg ") for work in works])
    axes.set_title("Cold single JPEGs a second, by size")
    axes.legend(frameon=False, ncols=5, loc="upper left", fontsize=9, columnspacing=1.0)
    axes.margins(y=0.18)
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False, labelleft=False, bottom=False)


def _yardsticks(axes: Any, rows: Sequence[Row]) -> None:
    """Draw our share of what a bare loop or server does, and what it is meant to be."""
    shown = list(_beside_bare(rows))[::-1]
    for place, row in enumerate(shown):
        reached = row.is_reached
        colour = {None: "#9a9a9a", True: "#58a55c", False: COLOURS[OURS]}[reached]
        axes.plot([min(row.ratios), max(row.ratios)], [place] * 2, color=colour, lw=5, alpha=0.3)
        axes.plot(row.ratio, place, "o", color=colour, ms=9)
        axes.annotate(
            f"{row.ratio:.2f}", (row.ratio, place), (0, 9), textcoords="offset points", ha="center",
            fontsize=9, fontweight="bold",
        )  # fmt: skip
        if row.target:
            axes.plot(row.target.ratio, place, "|", color=INK, ms=18, mew=2)
    axes.axvline(1, color="#cccccc", lw=1, zorder=0)
    axes.set_yticks(
        range(len(shown)), [f"{row.work}\nbeside {row.peer}" for row in shown], fontsize=8.5
    )
    axes.set_ylim(-0.6, len(shown) - 0.2)
    axes.set_xlim(0, WIDEST)
    axes.set_title("Rate by that of a bare yardstick (stroke: the target)")
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)


def _beside_bare(rows: Sequence[Row]) -> Iterator[Row]:
    for row in rows:
        is_share = row.target is None or row.target.bound is Bound.AT_LEAST
        if row.peer.startswith("bare") and is_share and row.peer != "bare 304":
            yield row


def _plain(axes: Any) -> None:
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False, left=False)
