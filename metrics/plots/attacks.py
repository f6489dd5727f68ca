"""Figure of all membership attacks with their intervals.

Belongs here: drawing the membership suite. Does not belong here: attacking (``attacks.suite``).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metrics.plots.figure import INK, QUIET, REAL, SYNTHETIC, drawn

COLOURS = {"all": REAL, "most vulnerable": SYNTHETIC}
LABELS = {"all": "all patients tested", "most vulnerable": "most isolated tenth"}
ROW = 0.62
APART = 0.28


@drawn
def attacks_plot(suite: Mapping[str, Any]) -> Figure:
    """AUC of each attack on all candidates and on the most vulnerable, with 95 % intervals and, thin, adjusted ones.

    Parameters
    ----------
    suite : mapping
        JSON of ``attacks.suite.MembershipSuite``.
    """
    known = [a for a in suite["attacks"] if a["auc"] is not None]
    names = list(dict.fromkeys(a["attack"] for a in known))
    figure = Figure(figsize=(8.2, 1.3 + ROW * max(len(names), 1)))
    axes = figure.add_subplot()
    _lines(axes, known, names)
    axes.axvline(0.5, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    bounds = [a[key] for a in known for key in ("adjusted_lower", "adjusted_upper") if a[key] is not None]
    axes.set_xlim(min(0.35, *bounds) if bounds else 0.35, max(0.65, *bounds) if bounds else 0.65)
    axes.set_xlabel("AUC of the attack (dashed: guessing)")
    axes.grid(axis="y", visible=False)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2 if len(names) > 2 else -0.4), ncols=2)
    return figure


def _lines(axes: Axes, known: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    told: set[str] = set()
    for attack in known:
        group = attack["group"]
        row = names.index(attack["attack"]) + (APART / 2 if group == "most vulnerable" else -APART / 2)
        colour = COLOURS.get(group, QUIET)
        if attack["adjusted_lower"] is not None:
            axes.plot([attack["adjusted_lower"], attack["adjusted_upper"]], [row, row], color=colour, linewidth=0.9)
        axes.plot([attack["auc_lower"], attack["auc_upper"]], [row, row], color=colour, linewidth=3.2, alpha=0.55)
        label = LABELS.get(group, group) if group not in told else None
        axes.scatter([attack["auc"]], [row], color=colour, s=34, zorder=3, label=label)
        told.add(group)
