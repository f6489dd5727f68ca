"""All figures of a report, by name.

Belongs here: the list of figures and the one call that draws those of a candidate. Does not belong here: drawing
(``plot_*``). Figures are drawn from report JSON, never from rows.
"""

from collections.abc import Mapping
from typing import Any

from metrics.plots.distribution import kaplan_meier_plot, marginals_plot, tvd_plot
from metrics.plots.frontier import frontier_plot
from metrics.plots.prediction import calibration_plot, roc_plot
from metrics.plots.privacy import membership_plot

__all__ = [
    "calibration_plot",
    "candidate_plots",
    "frontier_plot",
    "kaplan_meier_plot",
    "marginals_plot",
    "membership_plot",
    "roc_plot",
    "tvd_plot",
]


def candidate_plots(
    utility: Mapping[str, Any], fidelity: Mapping[str, Any], privacy: Mapping[str, Any]
) -> dict[str, bytes]:
    """Every figure of one candidate, from the reports' JSON.

    Returns
    -------
    dict of str to bytes
        PNG by name: ``marginals``, ``tvd``, ``kaplan_meier`` (only with follow-up), ``roc``, ``calibration``,
        ``membership``.
    """
    drawings = {"marginals": marginals_plot(fidelity), "tvd": tvd_plot(fidelity)}
    if fidelity.get("survival") is not None:
        drawings["kaplan_meier"] = kaplan_meier_plot(fidelity)
    drawings |= {"roc": roc_plot(utility), "calibration": calibration_plot(utility)}
    return drawings | {"membership": membership_plot(privacy)}
