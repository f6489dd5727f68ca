"""The results as a picture: check types by tables, coloured by the share of checks that pass.

Belongs here: the heat map. Does not belong here: the page around it (``page``).
"""

import io
from typing import TYPE_CHECKING

import polars as pl

from harmonisation.quality.results import Results
from harmonisation.quality.types import TYPES, Category

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {"failed": "#b2182b", "some": "#f4a582", "passed": "#4393c3", "none": "#e8e8e8"}


def heat_map(results: Results) -> "Figure":
    """Rows are check types in order of category, columns are tables; a cell shows ``failed / applicable`` checks."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    cells = _cells(results)
    checks = [name for name in TYPES if name in cells["check"].to_list()]
    tables = cells["table"].unique(maintain_order=True).to_list()
    figure = Figure(figsize=(3.2 + 1.05 * len(tables), 1.6 + 0.27 * len(checks)), layout="constrained")
    axes = figure.subplots()
    for row in cells.iter_rows(named=True):
        x, y = tables.index(row["table"]), checks.index(row["check"])
        axes.add_patch(_square(x, y, _colour(row["failed"], row["applicable"])))
        shown = f"{row['failed']}/{row['applicable']}" if row["applicable"] else "–"
        axes.text(x, y, shown, ha="center", va="center", fontsize=7, color="white" if row["applicable"] else "#666")
    axes.set(xlim=(-0.5, len(tables) - 0.5), ylim=(len(checks) - 0.5, -0.5))
    axes.set_xticks(range(len(tables)), [name.replace("_", "\n") for name in tables], fontsize=7)
    axes.set_yticks(range(len(checks)), checks, fontsize=7)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    _categories(axes, checks, len(tables))
    for side in axes.spines.values():
        side.set_visible(False)
    words = {"passed": "all pass", "some": "some fail", "failed": "half or more fail", "none": "not applicable"}
    handles = [Patch(color=_COLOURS[name], label=word) for name, word in words.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=7, frameon=False)
    figure.suptitle(f"{results.source}: checks that fail / that apply", fontsize=9)
    return figure


def heat_map_png(results: Results) -> bytes:
    """The picture as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer, figure = io.BytesIO(), heat_map(results)
    figure.set_dpi(110)
    # Not savefig: it lays out and draws once more than needed.
    FigureCanvasAgg(figure).print_png(buffer)
    return buffer.getvalue()


def _cells(results: Results) -> pl.DataFrame:
    applies = ~pl.col("not_applicable")
    return (
        results.frame()
        .group_by("check", "table", maintain_order=True)
        .agg(failed=pl.col("failed").sum(), applicable=applies.sum())
    )


def _colour(failed: int, applicable: int) -> str:
    if not applicable:
        return _COLOURS["none"]
    return _COLOURS["passed" if not failed else "failed" if 2 * failed >= applicable else "some"]


def _square(x: int, y: int, colour: str):
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, color=colour, linewidth=0)


def _categories(axes, checks: list[str], width: int) -> None:
    """The category's name beside its rows, and a line between categories."""
    for category in Category:
        rows = [n for n, name in enumerate(checks) if TYPES[name].category is category]
        if rows:
            middle = (rows[0] + rows[-1]) / 2
            axes.text(width - 0.4, middle, category.value, rotation=270, va="center", fontsize=8)
            axes.axhline(rows[-1] + 0.5, color="white", linewidth=3)
