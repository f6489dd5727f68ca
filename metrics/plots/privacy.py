"""Figure of the membership attack.

Belongs here: drawing the privacy report. Does not belong here: the attack (``membership``).
"""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from metrics.plots.figure import INDEPENDENT, SYNTHETIC, THIRD, drawn, note, panels


@drawn
def membership_plot(privacy: Mapping[str, Any]) -> Figure:
    """ROC curve of the attack and the share of members found at low false positive rates."""
    figure, (curve, found) = panels(2, width=8.4, height=4.0)
    if privacy["roc"] is None:
        note(curve, privacy.get("reason") or "not available")
        found.set_axis_off()
        return figure
    curve.plot([0, 1], [0, 1], color=INDEPENDENT, linewidth=1, linestyle=(0, (4, 3)), label="guessing: AUC 0.50")
    curve.plot(privacy["roc"]["fpr"], privacy["roc"]["tpr"], color=SYNTHETIC, label=f"attack: AUC {privacy['auc']:.2f}")
    title, across, up = "Attack on all patients", "Non-members wrongly accused", "Members found"
    curve.set(title=title, xlabel=across, ylabel=up, xlim=(0, 1), ylim=(0, 1), aspect="equal")
    curve.legend(loc="lower right")
    _low_rates(found, privacy["tpr_at_fpr"])
    return figure


def _low_rates(axes: Any, rates: list[Mapping[str, float]]) -> None:
    places = range(len(rates))
    errors = [[r["tpr"] - r["lower"] for r in rates], [r["upper"] - r["tpr"] for r in rates]]
    axes.errorbar(places, [r["tpr"] for r in rates], yerr=errors, fmt="o", color=SYNTHETIC, capsize=4, label="attack")
    axes.plot(places, [r["fpr"] for r in rates], linestyle="", marker="_", markersize=26, color=THIRD, label="guessing")
    axes.set_xticks(places, [f"{r['fpr']:.0%}" for r in rates])
    top = max(0.2, 1.15 * max(r["upper"] for r in rates))
    axes.set(
        title="At few false accusations", xlabel="Non-members wrongly accused", ylabel="Members found", ylim=(0, top)
    )
    axes.set_xlim(-0.6, len(rates) - 0.4)
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.legend(loc="upper left", markerscale=0.6, handletextpad=1.0)
