"""Figure of decision curves: net benefit of acting on a model trained on synthetic patients.

Belongs here: drawing ``metrics.utility.decision_curve``. Does not belong here: measuring it.
"""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from metrics.plots.figure import INDEPENDENT, INK, QUIET, REAL, RULE, SYNTHETIC, drawn, note, panels

LINES: dict[str, tuple[str, str, Any]] = {
    "treat_all": ("treat all", INDEPENDENT, (0, (4, 3))),
    "treat_none": ("treat none", INK, "-"),
    "trtr": ("model trained on real", REAL, "-"),
    "tstr": ("model trained on synthetic", SYNTHETIC, "-"),
}


@drawn
def decision_curve_plot(curves: Mapping[str, Any]) -> Figure:
    """Net benefit on real holdout patients over the threshold of risk.

    Parameters
    ----------
    curves : mapping
        JSON of ``metrics.utility.decision_curve.DecisionCurves``.
    """
    figure, (axes,) = panels(1, width=6.4, height=4.0)
    if not curves["curves"]:
        note(axes, curves.get("reason") or "not available")
        return figure
    low, high = curves["range"]
    axes.axvspan(low, high, color=RULE, alpha=0.45, linewidth=0, zorder=0)
    for name, (label, colour, style) in LINES.items():
        if (benefit := curves["curves"].get(name)) is not None:
            width = 1.1 if name.startswith("treat") else 1.9
            axes.plot(curves["thresholds"], benefit, color=colour, linestyle=style, linewidth=width, label=label)
    _largest_loss(axes, curves)
    known = [b for name in ("trtr", "tstr") if (b := curves["curves"].get(name)) is not None]
    top = max([0.01, *(max(benefit) for benefit in known)])
    axes.set(title="Is the model worth acting on?", xlabel="Risk above which a patient is treated (shaded: sensible)")
    axes.set(ylabel="Net benefit (events found per patient)", xlim=(0, curves["thresholds"][-1]))
    axes.set_ylim(-0.18 * top, 1.12 * top)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.legend(loc="upper right")
    return figure


def _largest_loss(axes: Any, curves: Mapping[str, Any]) -> None:
    worst = curves.get("largest_loss")
    if worst is None:
        return
    at = curves["thresholds"].index(worst["threshold"])
    ends = [curves["curves"][side][at] for side in ("tstr", "trtr")]
    axes.plot([worst["threshold"]] * 2, ends, color=QUIET, linewidth=1.2, marker="_", markersize=8)
    axes.annotate(
        f"largest loss {worst['loss']:.3f}", (worst["threshold"], max(ends)), xytext=(6, 10),
        textcoords="offset points", color=QUIET, fontsize=8,
    )  # fmt: skip
