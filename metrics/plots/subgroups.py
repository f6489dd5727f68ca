"""Figure of subgroups: loss and representation, one line per group.

Belongs here: drawing ``metrics.fairness``. Does not belong here: measuring it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metrics.plots.figure import INDEPENDENT, QUIET, REAL, SYNTHETIC, drawn, note, panels

FAIR_SHARE = (0.8, 1.25)
SMALLEST_RATIO = 0.05


@drawn
def subgroups_plot(fairness: Mapping[str, Any]) -> Figure:
    """Loss of AUC and ratio of synthetic to real share of every subgroup; unknown groups are named as such.

    Parameters
    ----------
    fairness : mapping
        JSON of ``metrics.fairness.FairnessReport``.
    """
    groups = fairness["groups"]
    figure, (loss, share) = panels(2, width=10.0, height=max(2.6, 1.3 + 0.27 * len(groups)))
    if not groups:
        note(loss, fairness.get("reason") or "not available")
        share.set_axis_off()
        return figure
    _losses(loss, groups)
    _shares(share, groups)
    for axes in (loss, share):
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        _rules(axes, groups)
    loss.set_yticks(range(len(groups)), [f"{g['column_label']}: {g['group']}" for g in groups])
    share.set_yticks([])
    return figure


def _losses(axes: Axes, groups: Sequence[Mapping[str, Any]]) -> None:
    axes.axvline(0, color=INDEPENDENT, linewidth=1, linestyle=(0, (4, 3)))
    for place, group in enumerate(groups):
        found = group["utility"]
        if found is None:
            axes.text(0, place, " unknown: too few patients", va="center", color=QUIET, fontsize=7.5, style="italic")
            continue
        _whisker(axes, place, found["loss"], found["loss_lower"], found["loss_upper"], SYNTHETIC)
    axes.set(title="Loss by training on synthetic patients", xlabel="TRTR less TSTR AUC, 95 % (right of 0 is a loss)")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, -0.05), max(high, 0.1))


def _shares(axes: Axes, groups: Sequence[Mapping[str, Any]]) -> None:
    axes.set_xscale("log", base=2)
    axes.axvline(1, color=INDEPENDENT, linewidth=1, linestyle=(0, (4, 3)))
    axes.axvspan(*FAIR_SHARE, color=INDEPENDENT, alpha=0.12, linewidth=0)
    for place, group in enumerate(groups):
        found = group["representation"]
        if found["ratio"] is None:
            why = " not released" if found["synthetic"] is None else " too few real patients"
            axes.text(1, place, why, va="center", color=QUIET, fontsize=7.5, style="italic")
            continue
        value, lower, upper = (max(found[key], SMALLEST_RATIO) for key in ("ratio", "lower", "upper"))
        _whisker(axes, place, value, lower, upper, REAL)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.5), max(high, 2.0))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(title="Representation", xlabel="Synthetic share over real share, 95 % (shaded: 0.8 to 1.25)")


def _whisker(axes: Axes, place: int, value: float, lower: float, upper: float, colour: str) -> None:
    axes.plot([lower, upper], [place, place], color=colour, linewidth=1.6)
    axes.plot(value, place, marker="o", markersize=5, color=colour)


def _rules(axes: Axes, groups: Sequence[Mapping[str, Any]]) -> None:
    """A thin line between columns."""
    for place in range(1, len(groups)):
        if groups[place]["column"] != groups[place - 1]["column"]:
            axes.axhline(place - 0.5, color="#C9CFD6", linewidth=0.7)
