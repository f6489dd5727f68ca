"""Figures of distributions: every column, all pairs of columns, and survival.

Belongs here: drawing the fidelity report. Does not belong here: measuring it (``fidelity``). Real shares come from
counts rounded to multiples of 5, and survival curves stop where fewer than ten patients are at risk.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from metrics.plots.figure import HOLDOUT, INDEPENDENT, QUIET, REAL, SYNTHETIC, drawn, note, panels
from metrics.reporting.units import readable

ACROSS = 4
MOST_NAMED_LEVELS = 7
LABEL_WIDTH, LABEL_LINES = 17, 2
TITLE_WIDTH, TITLE_LINES = 28, 3
CURVES = {
    "train": ("real, training", REAL),
    "holdout": ("real, holdout", HOLDOUT),
    "synthetic": ("synthetic", SYNTHETIC),
}


@drawn
def marginals_plot(fidelity: Mapping[str, Any]) -> Figure:
    """Shares of every level of every column, real beside synthetic."""
    columns = fidelity["columns"]
    down = ceil(len(columns) / ACROSS)
    figure = Figure(figsize=(11.0, 0.55 + 1.95 * down))
    grid = figure.subplots(down, ACROSS, squeeze=False).ravel()
    for axes, column in zip(grid, columns, strict=False):
        _marginal(axes, column)
    for axes in grid[len(columns) :]:
        axes.set_axis_off()
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return figure


def _marginal(axes: Axes, whole: Mapping[str, Any]) -> None:
    column = _without_empty_missing(whole)
    axes.set_title(_folded(column["label"] + _unit(column), TITLE_WIDTH, TITLE_LINES), fontsize=8.5)
    named = column["kind"] == "category" and len(column["levels"]) <= MOST_NAMED_LEVELS
    (_named_bars if named else _ordered_bars)(axes, column)


def _named_bars(axes: Axes, column: Mapping[str, Any]) -> None:
    places = np.arange(len(column["levels"]))
    axes.barh(places - 0.2, column["train_shares"], height=0.38, color=REAL, label="real, training")
    axes.barh(places + 0.2, column["synthetic_shares"], height=0.38, color=SYNTHETIC, label="synthetic")
    axes.set_yticks(places, [_folded(level, LABEL_WIDTH, LABEL_LINES) for level in column["levels"]], fontsize=7.5)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.tick_params(axis="x", labelsize=7)


def _ordered_bars(axes: Axes, column: Mapping[str, Any]) -> None:
    places = np.arange(len(column["levels"]))
    axes.bar(places - 0.2, column["train_shares"], width=0.4, color=REAL, label="real, training")
    axes.bar(places + 0.2, column["synthetic_shares"], width=0.4, color=SYNTHETIC, label="synthetic")
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.tick_params(axis="both", labelsize=7)
    _tick_levels(axes, column)


def _tick_levels(axes: Axes, column: Mapping[str, Any]) -> None:
    levels = column["levels"]
    if column["kind"] == "category":
        axes.set_xticks([])
        axes.set_xlabel(f"{len(levels)} levels", fontsize=7.5, color=QUIET)
        return
    known = len(levels) - (levels[-1] == "missing")
    places = list(range(0, known, ceil(known / 5)))
    names = [levels[i].split(" to ")[0] for i in places]
    last = [] if known == len(levels) else [known]
    if last and known - places[-1] < 2:  # the two labels would touch
        places, names = places[:-1], names[:-1]
    axes.set_xticks(places + last, names + ["missing"] * len(last))


def _without_empty_missing(column: Mapping[str, Any]) -> Mapping[str, Any]:
    """The column without its level for missing where no value is missing in either table."""
    if column["missing_train"] or column["missing_synthetic"] or column["levels"][-1] != "missing":
        return column
    return {**column} | {key: column[key][:-1] for key in ("levels", "train_shares", "synthetic_shares")}


def _folded(words: str, width: int, lines: int) -> str:
    return "\n".join(wrap(words, width, max_lines=lines, placeholder=" …", break_on_hyphens=False))


def _unit(column: Mapping[str, Any]) -> str:
    unit = readable(column["unit"])
    return f" ({unit})" if unit else ""


@drawn
def tvd_plot(fidelity: Mapping[str, Any]) -> Figure:
    """Distribution of the two-way distances of all pairs, at one table size: synthetic, real holdout, independent."""
    figure, (axes,) = panels(1, width=8.4, height=3.9)
    share = np.linspace(0, 1, 101)
    lines = {
        "holdout": ("real holdout (noise floor)", REAL, "-"),
        "synthetic_matched": ("synthetic", SYNTHETIC, "-"),
        "independent_matched": ("independent columns", INDEPENDENT, (0, (4, 2))),
    }
    for name, (label, colour, line) in lines.items():
        mean = fidelity[name]["mean_tvd2"]
        axes.plot(
            fidelity["tvd2_quantiles"][name], share, color=colour, linestyle=line, label=f"{label}: mean {mean:.3f}"
        )
    axes.set(
        xlabel="Two-way total variation distance to the training table", ylabel="Share of column pairs", ylim=(0, 1.01)
    )
    axes.set_xlim(left=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.legend(loc="lower right")
    return figure


@drawn
def kaplan_meier_plot(fidelity: Mapping[str, Any]) -> Figure:
    """Survival of training, holdout and synthetic patients with pointwise 95 % bands, on a grid of 60 times."""
    figure, (axes,) = panels(1, width=8.4, height=4.0)
    survival = fidelity.get("survival")
    if survival is None:
        note(axes, "this cohort has no follow-up time")
        return figure
    _curves(axes, survival, tuple(CURVES))
    return figure


@drawn
def released_survival_plot(survival: Mapping[str, Any]) -> Figure:
    """Survival of the synthetic patients alone, for readers who may see released data only."""
    figure, (axes,) = panels(1, width=8.4, height=4.0)
    _curves(axes, survival, ("synthetic",))
    return figure


def _curves(axes: Axes, survival: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in names:
        _curve(axes, survival["grid"], survival["curves"][name], *CURVES[name])
    axes.set(
        xlabel=survival["label"] + _unit(survival), ylabel="Survival", xlim=(0, survival["horizon"]), ylim=(0, 1.01)
    )
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.legend(loc="upper right")


def _curve(
    axes: Axes, grid: Sequence[float], curve: Mapping[str, Sequence[float | None]], label: str, colour: str
) -> None:
    known = {key: np.array(values, dtype=float) for key, values in curve.items()}
    axes.fill_between(grid, known["lower"], known["upper"], color=colour, alpha=0.14, linewidth=0)
    axes.plot(grid, known["survival"], color=colour, label=label)
